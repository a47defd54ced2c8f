// Time zones by name, and the one of this machine.

/** Every zone that the browser knows with UTC first, and where we are. */
export function zones(): { all: string[]; here: string } {
  const known = Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')
  const here = new Intl.DateTimeFormat('en-GB').resolvedOptions().timeZone
  const all = ['UTC', ...known]
  // Names such as `Etc/Unknown` mean that the machine does not say where it is.
  return { all, here: all.includes(here) ? here : 'UTC' }
}
