import { expect, it } from 'vitest'

import { isSystem, systemTitle } from './system'

it('tells what the machine did from what the model did, and says it in words', () => {
  expect(['system/seconds', 'loss', 'val/system/x'].map(isSystem)).toEqual([true, false, false])
  expect(['system/cpu_utilization_percentage', 'system/gpu_0_memory_usage_megabytes', 'system/max_memory_bytes', 'system/exit_code'].map(systemTitle)).toEqual(['CPU utilization, %', 'GPU 0 memory usage, MB', 'Most memory bytes', 'Exit code'])
})
