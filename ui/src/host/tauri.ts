// The window of the app. The only file that knows Tauri.

import { invoke } from '@tauri-apps/api/core'
import { listen } from '@tauri-apps/api/event'
import { getCurrentWebview } from '@tauri-apps/api/webview'
import { getCurrentWindow, ProgressBarStatus } from '@tauri-apps/api/window'
import { open, save } from '@tauri-apps/plugin-dialog'
import { openUrl, revealItemInDir } from '@tauri-apps/plugin-opener'

import { everythingChanged, toEvent, type DaemonState, type Platform, type Transport } from './transport'

/** True if the pages run in the window of the app. */
export function isTauri(): boolean {
  return '__TAURI_INTERNALS__' in globalThis
}

/** `listen` answers later; this takes the handler off whenever it is asked to. */
function on<T>(name: string, handler: (payload: T) => void): () => void {
  const ready = listen<T>(name, (event) => handler(event.payload))
  return () => void ready.then((stop) => stop())
}

const call = (name: string, payload: unknown): Promise<unknown> => invoke('rpc', { name, payload })

const platform: Platform = {
  isDesktop: true,
  isMac: navigator.userAgent.includes('Mac'),

  async openFiles(options = {}) {
    const filters = options.extensions ? [{ name: 'Usual files', extensions: options.extensions }, { name: 'All files', extensions: ['*'] }] : []
    const chosen = await open({
      title: options.title,
      multiple: options.many ?? false,
      directory: options.folder ?? false,
      filters,
    })
    if (chosen === null) return []
    return Array.isArray(chosen) ? chosen : [chosen]
  },

  saveFile(options = {}) {
    const filters = options.extensions ? [{ name: 'Files', extensions: options.extensions }] : []
    return save({ title: options.title, defaultPath: options.suggestedName, filters })
  },

  onFileDrop(handler) {
    let paths: string[] = []
    const ready = getCurrentWebview().onDragDropEvent(({ payload }) => {
      if (payload.type === 'leave') return handler('leave', [], { x: 0, y: 0 })
      if (payload.type !== 'over') paths = payload.paths
      const scale = window.devicePixelRatio
      const position = { x: payload.position.x / scale, y: payload.position.y / scale }
      handler(payload.type === 'drop' ? 'drop' : 'over', paths, position)
    })
    return () => void ready.then((stop) => stop())
  },

  reveal: (path) => revealItemInDir(path),
  openUrl: (url) => openUrl(url),
  copy: (text) => navigator.clipboard.writeText(text),

  onDaemon(handler) {
    // The state before we listened is asked for once; events that came meanwhile are newer.
    let isTold = false
    const stop = on<DaemonState>('daemon', (state) => {
      isTold = true
      handler(state)
    })
    void call('window.state', {}).then((answer) => {
      if (!isTold) handler((answer as { daemon: DaemonState }).daemon)
    })
    return stop
  },

  onOpenFiles(handler) {
    const stop = on<{ paths: string[] }>('open-files', ({ paths }) => handler(paths))
    void call('window.pendingFiles', {}).then((answer) => {
      const { paths } = answer as { paths: string[] }
      if (paths.length > 0) handler(paths)
    })
    return stop
  },

  onCommand: (handler) => on<{ id: string }>('command', ({ id }) => handler(id)),

  async notify(title, body) {
    if (document.hasFocus()) return
    // The plugin's own package lags behind its crate; these are its three commands.
    const isAllowed = await invoke<boolean | null>('plugin:notification|is_permission_granted')
    if (isAllowed !== true && (await invoke<string>('plugin:notification|request_permission')) !== 'granted') return
    await invoke('plugin:notification|notify', { options: { title, body } })
  },

  setZoom: (pct) => getCurrentWebview().setZoom(pct / 100),
  setTheme: (theme) => getCurrentWindow().setTheme(theme === 'system' ? null : theme),
  setProgress: (pct) =>
    getCurrentWindow().setProgressBar(
      pct === null
        ? { status: ProgressBarStatus.None }
        : { status: ProgressBarStatus.Normal, progress: Math.round(pct) },
    ),
}

export const tauri: Transport = {
  call,
  platform,
  onEvent(handler) {
    const stops = ['changed', 'job', 'points'].map((name) =>
      on<unknown>(name, (data) => {
        const event = toEvent(name, data)
        if (event !== null) handler(event)
      }),
    )
    let wasLost = false
    const stopDaemon = on<DaemonState>('daemon', ({ state }) => {
      if (state === 'ready' && wasLost) handler(everythingChanged)
      wasLost = state !== 'ready'
    })
    return () => [...stops, stopDaemon].forEach((stop) => stop())
  },
}
