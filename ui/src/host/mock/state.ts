// State that belongs to one mock, so that what one test changes no other sees.

import type { World } from './world'

/** Gives each world a state of its own, made when it is first asked for. */
export function perWorld<T>(make: () => T): (world: World) => T {
  const made = new WeakMap<World, { state: T }>()
  return (world) => {
    const known = made.get(world) ?? { state: make() }
    made.set(world, known)
    return known.state
  }
}
