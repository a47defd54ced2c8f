import './design/reset.css'
import './design/tokens.css'
import './design/base.css'
import { mount } from 'svelte'
import App from './app/App.svelte'
import { useTransport } from './host/host'
import { mock } from './host/mock'
const q = new URLSearchParams(location.search)
const transport = mock({}, { isDesktop: q.get('desktop') === '1', openFiles: () => Promise.resolve([q.get('path') ?? '/data/parts']) })
useTransport(transport)
;(window as unknown as { __mock: unknown }).__mock = transport
const target = document.getElementById('app')
if (target) mount(App, { target })
