import { Scalar } from 'yaml';
import { suggest } from 'netloom/core';
import type { Path } from './mistake.ts';
import {
  describePlace,
  kindOf,
  textOf,
  type Place,
  type PlaceKind,
  type Reading,
} from './reading.ts';

/** A value of JSON. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** A JSON schema (draft 2020-12). */
export type JsonSchema = Readonly<Record<string, JsonValue>>;

/** What may be written at a place: how it is read, and the same as a schema. */
export interface Shape<T> {
  /** With its article, as `a rate`. */
  readonly noun: string;
  /** What to write: a sentence. */
  readonly remedy: string;
  /** Words that are taken: the nearest is offered instead of the remedy. */
  readonly words?: readonly string[];
  readonly takes: readonly PlaceKind[];
  readonly schema: JsonSchema;
  /** The value; undefined where it is none, which is then told. */
  read(place: Place, reading: Reading): T | undefined;
}

/** The items of a list. Those that could not be read are undefined, so that the others keep their numbers. */
export type Listed<T> = readonly (T | undefined)[];

/** A key of a map. */
export interface Field<T> {
  readonly shape: Shape<T>;
  /** What it is for: a sentence. */
  readonly about: string;
  /** What holds where it is left out, in words. */
  readonly otherwise: string;
}

/** All keys of a map, by name. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> };

/** Says that a place holds something else than the shape. */
export function refuse(shape: Shape<unknown>, place: Place, reading: Reading): undefined {
  const { noun, words = [], remedy } = shape;
  const near = suggest(textOf(place), words);
  reading.mistakeAt(
    place,
    `${subjectOf(place.path)} wants ${place.path.length === 0 ? 'a map' : noun}, not ${describePlace(place)}`,
    near === undefined ? remedy : `Did you mean '${near}'?`,
  );
}

/** The nearest key. */
function subjectOf(path: Path): string {
  return path.findLast((step) => typeof step === 'string') ?? 'the file';
}

/** A text, a number or a boolean, which `parse` makes a value of; undefined: it is none. */
export function text<T>(
  noun: string,
  remedy: string,
  parse: (text: string) => T | undefined,
  schema: JsonSchema = { type: 'string' },
  words: readonly string[] = [],
): Shape<T> {
  const takes: PlaceKind[] = ['text', 'number', 'boolean'];
  const shape: Shape<T> = {
    noun,
    remedy,
    words,
    takes,
    schema,
    read(place, reading) {
      const value = takes.includes(kindOf(place)) ? parse(textOf(place)) : undefined;
      return value === undefined ? refuse(shape, place, reading) : value;
    },
  };
  return shape;
}

/** `true` or `false`. */
export const flag: Shape<boolean> = {
  noun: 'true or false',
  remedy: 'Write true or false.',
  takes: ['boolean'],
  schema: { type: 'boolean' },
  read(place, reading) {
    return kindOf(place) === 'boolean'
      ? textOf(place).toLowerCase() === 'true'
      : refuse(flag, place, reading);
  },
};

/** A whole number from `least` to `most`. */
export function integer(noun: string, least: number, most: number): Shape<number> {
  const shape: Shape<number> = {
    noun,
    remedy: `Write a whole number from ${least} to ${most}.`,
    takes: ['number'],
    schema: { type: 'integer', minimum: least, maximum: most },
    read(place, reading) {
      const value = kindOf(place) === 'number' ? Number(textOf(place)) : NaN;
      const isGood = Number.isInteger(value) && value >= least && value <= most;
      return isGood ? value : refuse(shape, place, reading);
    },
  };
  return shape;
}

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[]): Shape<T> {
  return text(
    `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
    'Write one of these words.',
    (written) => words.find((word) => word === written),
    { enum: words },
    words,
  );
}

/** A list. */
export function list<T>(noun: string, item: Shape<T>): Shape<Listed<T>> {
  const shape: Shape<Listed<T>> = {
    noun,
    remedy: `Write a list: in brackets, or each on a line of its own with a hyphen before it.`,
    takes: ['list'],
    schema: { type: 'array', items: item.schema },
    read(place, reading) {
      if (kindOf(place) !== 'list') return refuse(shape, place, reading);
      return reading.items(place).map((one) => item.read(one, reading));
    },
  };
  return shape;
}

/** A list, or its only item alone. */
export function oneOrMany<T>(noun: string, item: Shape<T>): Shape<Listed<T>> {
  const many = list(noun, item);
  return {
    ...item,
    takes: [...item.takes, 'list'],
    schema: { anyOf: [item.schema, many.schema] },
    read: (place, reading) =>
      kindOf(place) === 'list' ? many.read(place, reading) : [item.read(place, reading)],
  };
}

/** One of several shapes, by the kind of what is written. */
export function either<T>(noun: string, remedy: string, ...shapes: readonly Shape<T>[]): Shape<T> {
  const shape: Shape<T> = {
    noun,
    remedy,
    takes: shapes.flatMap(({ takes }) => takes),
    schema: { anyOf: shapes.map(({ schema }) => schema) },
    read(place, reading) {
      const kind = kindOf(place);
      const fitting = shapes.find(({ takes }) => takes.includes(kind));
      return fitting === undefined ? refuse(shape, place, reading) : fitting.read(place, reading);
    },
  };
  return shape;
}

/** What another shape reads, as something else. */
export function as<T, U>(shape: Shape<T>, change: (value: T) => U): Shape<U> {
  return {
    ...shape,
    read(place, reading) {
      const value = shape.read(place, reading);
      return value === undefined ? undefined : change(value);
    },
  };
}

/** What a map whose keys are the file's to choose has. Of a value that could not be read there is the key. */
export type Keyed<T> = ReadonlyMap<string, T | undefined>;

/** A map whose keys are the file's to choose. */
export function mapOf<T>(noun: string, key: Shape<string>, value: Shape<T>): Shape<Keyed<T>> {
  const shape: Shape<Keyed<T>> = {
    noun,
    remedy: 'Write each on a line of its own, further to the right, as name: value.',
    takes: ['map', 'nothing'],
    schema: {
      type: ['object', 'null'],
      propertyNames: key.schema,
      additionalProperties: value.schema,
    },
    read(place, reading) {
      if (!shape.takes.includes(kindOf(place))) return refuse(shape, place, reading);
      const found = new Map<string, T | undefined>();
      for (const { key: name, keyOffset, place: inner } of reading.entries(place)) {
        const one = value.read(inner, reading);
        const known = readKey(key, name, { ...inner, offset: keyOffset }, reading);
        if (known !== undefined) found.set(known, one);
      }
      return found;
    },
  };
  return shape;
}

/** A key, by the shape of a text. */
function readKey(
  shape: Shape<string>,
  key: string,
  place: Place,
  reading: Reading,
): string | undefined {
  return shape.read({ ...place, node: new Scalar(key) }, reading);
}

/** A map of known keys. Keys that could not be read are left out; of something that is no map all are. */
export function record<T extends object>(noun: string, fields: Fields<T>): Shape<Partial<T>> {
  const names = Object.keys(fields);
  const shape: Shape<Partial<T>> = {
    noun,
    remedy: `Write it as a map, with keys as ${names.slice(0, 3).join(', ')}.`,
    takes: ['map', 'nothing'],
    schema: recordSchema(fields),
    read(place, reading) {
      const found: Record<string, unknown> = {};
      if (!shape.takes.includes(kindOf(place))) refuse(shape, place, reading);
      for (const { key, keyOffset, place: inner } of reading.entries(place)) {
        const field = Object.hasOwn(fields, key) ? fields[key as keyof T] : undefined;
        if (field === undefined) {
          unknownKey(key, names, noun, { ...inner, offset: keyOffset }, reading);
          continue;
        }
        const value: unknown = field.shape.read(inner, reading);
        if (value !== undefined) found[key] = value;
      }
      return found as Partial<T>;
    },
  };
  return shape;
}

/** A map that has to be written out: where nothing is written, it would not be clear what is meant. */
export function written<T>(map: Shape<T>): Shape<T> {
  return { ...map, takes: ['map'], schema: { ...map.schema, type: 'object' } };
}

function unknownKey(
  key: string,
  names: readonly string[],
  noun: string,
  place: Place,
  reading: Reading,
): void {
  const near = suggest(key, names);
  const remedy =
    near === undefined ? `The keys there are: ${names.join(', ')}.` : `Did you mean '${near}'?`;
  reading.mistakeAt(place, `there is no key '${key}' in ${noun}`, remedy);
}

function recordSchema<T>(fields: Fields<T>): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const [name, { shape, about, otherwise }] of Object.entries<Field<unknown>>(fields)) {
    properties[name] = { description: `${about} Default: ${otherwise}.`, ...shape.schema };
  }
  return { type: ['object', 'null'], properties, additionalProperties: false };
}
