// Which of the things that lie over every screen are open.

let isPaletteOpen = $state(false)
let isShortcutsOpen = $state(false)

export const overlays = {
  get isPaletteOpen() {
    return isPaletteOpen
  },
  get isShortcutsOpen() {
    return isShortcutsOpen
  },
  togglePalette(isOpen = !isPaletteOpen) {
    isPaletteOpen = isOpen
  },
  toggleShortcuts(isOpen = !isShortcutsOpen) {
    isShortcutsOpen = isOpen
  },
}
