// What every control of a parameter gets.

import type { JsonValue } from '../../host/bindings'

export type ControlProps = {
  id: string
  /** What holds: the value given, or else the default. */
  value: JsonValue
  /** True if the value was given. */
  isSet: boolean
  describedby: string
  isWrong: boolean
  /** Undefined goes back to the default. */
  onset: (value: JsonValue | undefined) => void
}
