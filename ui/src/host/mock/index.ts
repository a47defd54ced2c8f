// Puts the answers of every file in this folder together.

import type { Commands } from '../bindings'
import { browserPlatform } from '../browser'
import type { Platform, Transport } from '../transport'
import { failure, World, type Answers } from './world'

const files = import.meta.glob<{ answers?: Answers }>(['./*.ts', '!./index.ts', '!./world.ts'], { eager: true })

/** What tests change: answers of their own, the world behind the answers, the platform. */
export type MockTransport = Transport & { world: World; answers: Answers; calls: { name: string; payload: unknown }[] }

export function mock(extra: Answers = {}, platform: Partial<Platform> = {}): MockTransport {
  const world = new World()
  // `basics` first: it answers what no other file does.
  const names = Object.keys(files).sort((a, b) => Number(b.includes('basics')) - Number(a.includes('basics')) || a.localeCompare(b))
  const answers: Answers = Object.assign({}, ...names.map((name) => files[name]?.answers ?? {}), extra)
  const calls: { name: string; payload: unknown }[] = []
  return {
    world,
    answers,
    calls,
    async call(name, payload) {
      calls.push({ name, payload })
      const answer = answers[name as keyof Commands] as ((payload: unknown, world: World) => unknown) | undefined
      if (answer === undefined) throw failure('not_found', `the mock has no answer for \`${name}\``, 'add one to ui/src/host/mock')
      return structuredClone(await answer(payload, world))
    },
    onEvent: (handler) => world.onEvent(handler),
    platform: { ...browserPlatform, ...platform },
  }
}
