// Whole screens under axe take long on a busy machine; slow is not wrong. Import it for its effect.

import { configure } from '@testing-library/svelte'
import { vi } from 'vitest'

configure({ asyncUtilTimeout: 10_000 })
vi.setConfig({ testTimeout: 30_000 })
