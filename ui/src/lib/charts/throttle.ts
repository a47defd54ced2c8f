// Live charts repaint at most four times a second: more costs CPU and shows nothing more.

/** Passes on the newest value, at once and then at most once per `interval` ms. */
export class Throttle<T> {
  #timer: ReturnType<typeof setTimeout> | null = null
  #waiting: { value: T } | null = null
  readonly #act: (value: T) => void
  readonly #intervalMs: number

  constructor(intervalMs: number, act: (value: T) => void) {
    this.#intervalMs = intervalMs
    this.#act = act
  }

  push(value: T): void {
    if (this.#timer) {
      this.#waiting = { value }
      return
    }
    this.#act(value)
    this.#timer = setTimeout(() => this.#wake(), this.#intervalMs)
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    this.#waiting = null
  }

  #wake(): void {
    this.#timer = null
    const waiting = this.#waiting
    this.#waiting = null
    if (waiting) this.push(waiting.value)
  }
}
