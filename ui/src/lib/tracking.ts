// What a script has to be told to log here, as text to paste.

type Variables = readonly (readonly [string, string])[]

const SECRET = 'MLFLOW_TRACKING_TOKEN'
/** Stands for a secret on the screen; what is copied has the secret itself. */
const HIDDEN = '••••••••'

const told = ([name, value]: readonly [string, string], isHidden: boolean): string => (isHidden && name === SECRET ? HIDDEN : value)

/** Lines for the top of a Python script. */
export function forPython(variables: Variables, isHidden = false): string {
  const lines = variables.map((one) => `os.environ[${JSON.stringify(one[0])}] = ${JSON.stringify(told(one, isHidden))}`)
  return ['import os', ...lines].join('\n')
}

/** Lines for a shell. */
export function forShell(variables: Variables, isHidden = false): string {
  return variables.map((one) => `export ${one[0]}='${told(one, isHidden).replaceAll("'", String.raw`'\''`)}'`).join('\n')
}
