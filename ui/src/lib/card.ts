// The numbers of a model card: claims such as `{{metric.auc = 0.991}}`, brought up to date.

import type { ClaimView } from '../host/bindings'

/** A number as a card says it: to five digits; a whole number or a text as it is. */
export function saidAs(now: string): string {
  const value = Number(now)
  return Number.isFinite(value) && /[.e]/.test(now) ? String(Number(value.toPrecision(5))) : now.replaceAll('}}', '')
}

/** The card with every stale claim that has an answer brought up to date, and nothing else changed. */
export function broughtUpToDate(text: string, claims: readonly ClaimView[]): string {
  const left = [...claims]
  return text.replace(/\{\{.*?\}\}/g, (whole) => {
    const claim = left.shift()
    if (claim === undefined || !claim.isStale || claim.now === null) return whole
    return `{{${claim.query} = ${saidAs(claim.now)}}}`
  })
}
