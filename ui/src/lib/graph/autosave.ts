// Saves the newest value a moment after the last change, one save at a time, and never loses one.

/** Where a value stands on its way to the backend. */
export type SaveState = 'saved' | 'waiting' | 'saving' | 'failed'

/** How an `Autosave` works. */
export interface AutosaveOptions<T> {
  /** Writes a value; rejects if it was not taken. */
  save: (value: T) => Promise<void>
  /** Told whenever the state changes. */
  onState: (state: SaveState, error: unknown) => void
  /** Quiet time before a save. */
  delayMs: number
}

/** Waits for a pause in the changes and then saves; keeps what failed and tries again with the next change. */
export class Autosave<T> {
  readonly #options: AutosaveOptions<T>
  #pending: { value: T } | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #running: Promise<void> | null = null

  constructor(options: AutosaveOptions<T>) {
    this.#options = options
  }

  /** True if there is a value that the backend has not taken. */
  get isDirty(): boolean {
    return this.#pending !== null || this.#running !== null
  }

  /** Takes a new value; the one before need not be saved any more. */
  change(value: T): void {
    this.#pending = { value }
    clearTimeout(this.#timer)
    if (this.#running === null) this.#options.onState('waiting', null)
    this.#timer = setTimeout(() => void this.flush(), this.#options.delayMs)
  }

  /** Forgets what waits: the backend has something newer. */
  drop(): void {
    clearTimeout(this.#timer)
    this.#pending = null
  }

  /** Saves what waits, now. Resolves when nothing is left to save or the save failed. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#running !== null) await this.#running
    if (this.#running === null && this.#pending !== null) this.#running = this.#drain()
    await this.#running
  }

  async #drain(): Promise<void> {
    while (this.#pending !== null) {
      const taken = this.#pending
      this.#pending = null
      this.#options.onState('saving', null)
      try {
        await this.#options.save(taken.value)
      } catch (error) {
        // A newer value, if there is one, stands for this one.
        this.#pending ??= taken
        this.#running = null
        this.#options.onState('failed', error)
        return
      }
    }
    this.#running = null
    this.#options.onState('saved', null)
  }
}
