// Passwords of connections, on a machine without a keychain: in memory, and gone with the window.

const known = new Map<string, string>()

export function rememberPassword(connection: string, password: string): void {
  known.set(connection, password)
}

/** Null where the keychain or the environment has to know it. */
export function passwordOf(connection: string): string | null {
  return known.get(connection) ?? null
}

export function forgetPassword(connection: string): void {
  known.delete(connection)
}
