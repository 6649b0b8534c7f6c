/** Which station is behind what: a table for whoever learns from the frames that pass. */
export {
  StationTable,
  type Learning,
  type StationEntry,
  type StationHolder,
  type StationTableOptions,
} from './station-table.ts';
