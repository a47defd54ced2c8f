// The commands that work on every screen. Screens add their own while they are open.

import type { Command } from '../lib/keys'
import { href, navigate } from '../lib/router'
import { shell } from '../parts/shell.svelte'
import { SOURCES } from '../views/data/sources/kinds'
import { importDialog } from './importing.svelte'
import { overlays } from './overlays.svelte'
import { openSample } from './sample'
import { railItems } from './sections'

const WORDS: Record<(typeof SOURCES)[number]['id'], string> = { file: 'a file', folder: 'a folder', address: 'an address (URL)', database: 'a database' }

export function commands(): Command[] {
  return [
    { id: 'view.palette', title: 'Commands…', group: 'General', keys: ['Mod+K', 'Mod+Shift+P'], isInPalette: false, run: () => overlays.togglePalette() },
    { id: 'file.import', title: 'Import data…', group: 'Data', keys: ['Mod+O'], words: 'open csv tsv file browse add dataset', run: () => importDialog.open() },
    ...SOURCES.map(({ id }) => ({ id: `file.import_${id}`, title: `Import from ${WORDS[id]}…`, group: 'Data', words: 'open add dataset', run: () => importDialog.open(id) })),
    { id: 'pipeline.import', title: 'Import a DVC pipeline…', group: 'Data', words: 'dvc yaml stages', run: () => navigate(href('pipelines', [], { import: '' })) },
    { id: 'sample.open', title: 'Open the sample project', group: 'General', words: 'demo penguins example try', run: () => void openSample() },
    ...railItems.map(({ section, title }, index) => ({
      id: `go.${section}`, title: `Go to ${title}`, group: 'Go to', keys: [`Mod+${index + 1}`], run: () => navigate(href(section)),
    })),
    { id: 'app.settings', title: 'Settings…', group: 'Go to', keys: ['Mod+,'], words: 'preferences theme dark light zoom', run: () => navigate(href('settings')) },
    { id: 'go.sweeps', title: 'Go to Sweeps', group: 'Go to', words: 'hyperparameter search tune optimize trials', run: () => navigate(href('sweeps')) },
    { id: 'go.triggers', title: 'Go to Triggers', group: 'Go to', words: 'schedule cron automation when', run: () => navigate(href('triggers')) },
    { id: 'go.audit', title: 'Go to Audit log', group: 'Go to', words: 'history who what when', run: () => navigate(href('audit')) },
    { id: 'go.welcome', title: 'Go to Welcome', group: 'Go to', words: 'projects recent start switch open', run: () => navigate(href('welcome')) },
    { id: 'view.back', title: 'Back', group: 'General', keys: ['Alt+ArrowLeft', 'Mod+['], run: () => history.back() },
    { id: 'view.forward', title: 'Forward', group: 'General', keys: ['Alt+ArrowRight', 'Mod+]'], run: () => history.forward() },
    { id: 'view.drawer', title: 'Show or hide the drawer', group: 'General', keys: ['Mod+J'], isEnabled: () => shell.drawer.length > 0, run: () => shell.toggleDrawer() },
    { id: 'view.inspector', title: 'Show or hide the inspector', group: 'General', keys: ['Mod+\\'], isEnabled: () => shell.inspector !== null, run: () => shell.toggleInspector() },
    { id: 'view.shortcuts', title: 'Keyboard shortcuts', group: 'General', keys: ['?'], run: () => overlays.toggleShortcuts() },
  ]
}
