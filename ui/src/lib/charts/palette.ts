// Colours and dashes of series. The eight colours are tokens, told apart by colour-blind readers in
// both themes; the dash says the same once more, so nothing depends on colour alone.

/** How one series is drawn. */
export interface SeriesStyle {
  /** A custom property from tokens.css. */
  color: string
  /** The same for a picture that leaves the app, on white. */
  printColor: string
  /** `stroke-dasharray`; empty for a solid line. */
  dash: string
}

const DASHES = ['', '7 3', '2 3', '9 3 2 3', '12 4', '4 2 1 2', '1 2', '6 2 6 2 1 2']
const PRINT_COLORS = ['#1f6fc4', '#c25a12', '#1a8560', '#a8429b', '#86701a', '#1d7f92', '#6550b8', '#56636f']

/** The style of the series at `index`; the pairing shifts after eight, so 64 stay different. */
export function seriesStyle(index: number): SeriesStyle {
  const count = PRINT_COLORS.length
  const round = Math.floor(index / count)
  return {
    color: `var(--chart-${(index % count) + 1})`,
    printColor: PRINT_COLORS[index % count] ?? '#000000',
    dash: DASHES[(index + round) % DASHES.length] ?? '',
  }
}

/** The dash as the list of lengths a canvas takes. */
export function dashLengths(style: SeriesStyle): number[] {
  return style.dash === '' ? [] : style.dash.split(' ').map(Number)
}

/** The name of the custom property in a style's colour. */
export function colorProperty(style: SeriesStyle): string {
  return style.color.slice('var('.length, -1)
}
