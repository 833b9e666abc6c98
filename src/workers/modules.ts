/**
 * The modules that threads and processes run: TypeScript from source, JavaScript once built.
 * @module
 */

/** A module of this folder, by its name without extension. */
export const moduleOf = (name: string): URL => {
  const here = import.meta.url
  return new URL(`./${name}${here.slice(here.lastIndexOf('.'))}`, here)
}

/** Options with which Node can run a module: none if it is JavaScript, tsx for TypeScript. */
export const loaderOf = (module: URL): string[] => (module.pathname.endsWith('.ts') ? ['--import', 'tsx'] : [])
