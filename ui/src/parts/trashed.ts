// What was moved to the trash can be taken back at once.

import type { TrashPick } from '../host/bindings'
import { call } from '../host/host'
import { toast, toastFailure } from './toast.svelte'

/** Says that something is in the trash, with the way back. */
export function trashed(name: string, pick: TrashPick): void {
  const undo = async (): Promise<void> => {
    try {
      await call('trash.restore', pick)
      toast({ title: `${name} is back`, stay: 4000 })
    } catch (thrown) {
      toastFailure(`Could not bring ${name} back`, thrown)
    }
  }
  toast({ title: `${name} moved to the trash`, action: { label: 'Undo', run: () => void undo(), testid: 'toast-undo' }, stay: 12_000, testid: 'toast-trashed' })
}
