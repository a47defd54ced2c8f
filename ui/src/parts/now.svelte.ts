// The time, for "5 min ago" and running clocks.

/** The time now, renewed every `everyMs` while `isOn`. Use it while a component is set up. */
export function ticking(everyMs: number, isOn: () => boolean = () => true): { readonly now: number } {
  let now = $state(Date.now())
  $effect(() => {
    if (!isOn()) return
    now = Date.now()
    const timer = setInterval(() => (now = Date.now()), everyMs)
    return () => clearInterval(timer)
  })
  return {
    get now() {
      return now
    },
  }
}
