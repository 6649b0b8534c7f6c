/** The files of the modules that a node's file names: that file's reader does no I/O itself. */
export interface ModuleFiles {
  /** Against which relative paths are resolved. */
  readonly folder: string;
  /** Why the file cannot be read, in a few words; undefined: it can. */
  fault(path: string): string | undefined;
}
