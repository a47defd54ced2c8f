// The way into a component, as the address keeps it: each pipeline that was gone through, with the step
// that stands for the next. `churn.clean/tidy.inner` is the way to what `inner` of `tidy` stands for.

/** A pipeline around the one on screen, and its step that stands for what lies within. */
export type Crumb = { pipeline: string; step: string }

/** Components lie in components at most this deep; a longer way was typed by hand. */
const MOST = 8

/** Reads the way; what is none is left out. */
export function readCrumbs(text: string | undefined): Crumb[] {
  return (text ?? '').split('/').flatMap((part): Crumb[] => {
    // Names of pipelines and ids of steps hold no dot.
    const [pipeline = '', step = '', more] = part.split('.')
    return pipeline === '' || step === '' || more !== undefined ? [] : [{ pipeline, step }]
  }).slice(-MOST)
}

/** Writes the way; null if there is none. */
export function crumbText(crumbs: readonly Crumb[]): string | null {
  return crumbs.length === 0 ? null : crumbs.map(({ pipeline, step }) => `${pipeline}.${step}`).join('/')
}
