/// <reference types="vite/client" />
/// <reference types="svelte" />

interface ImportMetaEnv {
  /** `1` to answer every call from memory, without a daemon. */
  readonly VITE_MOCK?: string
}

interface ImportMeta {
  readonly env: ImportMetaEnv
}
