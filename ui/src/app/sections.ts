// The sections of the rail in their order, which is also the order of Mod+1 … Mod+7.

export const railItems = [
  { section: 'home', title: 'Home' },
  { section: 'data', title: 'Data' },
  { section: 'pipelines', title: 'Pipelines' },
  { section: 'runs', title: 'Runs' },
  { section: 'models', title: 'Models' },
  { section: 'deployments', title: 'Endpoints' },
  { section: 'monitor', title: 'Monitor' },
] as const
