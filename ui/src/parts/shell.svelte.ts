// What a screen puts into the frame around it: the inspector on the right, tabs in the drawer.
// Screens do not use this directly but through Inspector.svelte and DrawerTab.svelte.

import type { Snippet } from 'svelte'

export type DrawerEntry = { readonly id: string; readonly title: string; readonly count?: number | null; readonly content: Snippet }
export type InspectorEntry = { readonly title: string; readonly content: Snippet }

let inspector = $state.raw<InspectorEntry | null>(null)
let drawer = $state.raw<DrawerEntry[]>([])
let isInspectorOpen = $state(true)
let isDrawerOpen = $state(false)
let drawerTab = $state('')
let drawerHeight = $state(260)

export const shell = {
  get inspector() {
    return inspector
  },
  get drawer() {
    return drawer
  },
  get isInspectorOpen() {
    return isInspectorOpen
  },
  get isDrawerOpen() {
    return isDrawerOpen
  },
  /** The tab that is shown: the one asked for, or else the first. */
  get drawerTab() {
    return drawer.some((entry) => entry.id === drawerTab) ? drawerTab : (drawer[0]?.id ?? '')
  },
  get drawerHeight() {
    return drawerHeight
  },
  setDrawerHeight(height: number) {
    drawerHeight = height
  },
  toggleInspector(isOpen = !isInspectorOpen) {
    isInspectorOpen = isOpen
  },
  toggleDrawer(isOpen = !isDrawerOpen) {
    isDrawerOpen = isOpen
  },
  /** Opens the drawer on a tab. */
  showDrawer(id: string) {
    drawerTab = id
    isDrawerOpen = true
  },
  selectDrawer(id: string) {
    drawerTab = id
  },
  setInspector(entry: InspectorEntry): () => void {
    inspector = entry
    return () => {
      if (inspector === entry) inspector = null
    }
  },
  addDrawerTab(entry: DrawerEntry): () => void {
    drawer = [...drawer.filter((other) => other.id !== entry.id), entry]
    return () => {
      drawer = drawer.filter((other) => other !== entry)
    }
  },
}
