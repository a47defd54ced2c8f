import { expect, it } from 'vitest'

import { diffFiles } from './diff'

const TEXT = `diff --git a/train.py b/train.py
index 1f2..3a4 100644
--- a/train.py
+++ b/train.py
@@ -4,3 +4,4 @@ def main():
 import mlflow
--- a dash more
+depth = 9
+rate = 1
 seed = 1
\\ No newline at end of file
diff --git a/new.py b/new.py
new file mode 100644
--- /dev/null
+++ b/new.py
@@ -0,0 +1 @@
+x
diff --git a/map.png b/map.png
Binary files a/map.png and b/map.png differ
`

it('cuts a difference into files with the numbers of their lines', () => {
  const [train, added, picture] = diffFiles(TEXT)
  expect([train?.path, train?.added, train?.removed]).toEqual(['train.py', 2, 1])
  expect(train?.lines.map(({ kind, before, now }) => [kind, before, now])).toEqual([
    ['place', null, null], ['same', 4, 4], ['removed', 5, null], ['added', null, 5], ['added', null, 6], ['same', 6, 7],
  ])
  expect(train?.lines[2]?.text).toBe('-- a dash more')
  expect([added?.path, added?.note, added?.lines.length]).toEqual(['new.py', 'new', 2])
  expect([picture?.note, picture?.lines]).toEqual(['binary', []])
})

it('makes nothing of nothing', () => {
  expect(diffFiles('')).toEqual([])
})
