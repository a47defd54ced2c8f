// Starts the pages. A build with VITE_MOCK=1 answers from memory; only then is the mock loaded.

import './design/reset.css'
import './design/tokens.css'
import './design/base.css'

import { mount } from 'svelte'

import App from './app/App.svelte'
import { useTransport } from './host/host'

async function start(): Promise<void> {
  if (import.meta.env.VITE_MOCK === '1') {
    const { mock } = await import('./host/mock')
    useTransport(mock())
  }
  const target = document.getElementById('app')
  if (target === null) throw new Error('index.html has no element with the id `app`')
  mount(App, { target })
}

void start()
