// Runs before the first frame, so that a dark desktop never sees a white flash. A file of its own,
// because the content security policy allows no inline script.
(function () {
  var choice = 'system'
  try { choice = localStorage.getItem('fettle.theme') || 'system' } catch (_) { /* storage may be closed off */ }
  var isDark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
})()
