/**
 * Typed access to a node's attributes: defaults, and refusal of wrong types and of attributes that the operator's code does
 * not know (and so would ignore).
 * @module
 */
import type { Attribute, Node } from '../graph/graph.ts'
import type { Tensor } from '../tensor.ts'
import { InvalidNodeError, UnsupportedError } from './unsupported.ts'

/** How one attribute is read. */
export type AttributeKind<T> = {
  /** What is expected, for messages. */
  readonly expects: string
  /** The value, undefined where it is of the wrong type or not one of those that are supported. */
  read(value: Attribute): T | undefined
  /** Value where the attribute is absent; throws for those that must be present. */
  readonly otherwise: (fail: (why: string) => never) => T
  /** Whether a wrong value is one that ONNX allows. */
  readonly choice?: boolean
}

type Spec = Readonly<Record<string, AttributeKind<unknown>>>

const observers = new WeakMap<object, (spec: Spec) => void>()

/** Has a node's attributes tell what they are asked for, for documentation: `observe` gets every specification. */
export const observeAttributes = (attributes: Node['attributes'], observe: (spec: Spec) => void): void => {
  observers.set(attributes, observe)
}

type Values<S> = { readonly [K in keyof S]: S[K] extends AttributeKind<infer T> ? T : never }

/** All attributes of a node. Throws UnsupportedError for unknown ones, InvalidNodeError for wrong types. */
export function attributesOf<S extends Spec>(node: Node, spec: S): Values<S> {
  observers.get(node.attributes)?.(spec)
  for (const [attribute, got] of Object.entries(node.attributes))
    if (!Object.hasOwn(spec, attribute))
      throw new UnsupportedError({
        node: node.name,
        op: node.op,
        attribute,
        got: plain(got),
        supported: Object.keys(spec).join(', ') || 'no attributes',
      })
  return Object.fromEntries(
    Object.entries(spec).map(([name, kind]) => {
      const fail = (why: string): never => {
        throw new InvalidNodeError(node, `attribute "${name}" ${why}`)
      }
      const given = Object.hasOwn(node.attributes, name) ? node.attributes[name] : undefined
      if (given === undefined) return [name, kind.otherwise(fail)]
      const value = kind.read(given)
      if (value === undefined) {
        if (kind.choice)
          throw new UnsupportedError({
            node: node.name,
            op: node.op,
            attribute: name,
            got: plain(given),
            supported: kind.expects,
          })
        fail(`must be ${kind.expects}`)
      }
      return [name, value]
    }),
  ) as Values<S>
}

const plain = (value: Attribute): unknown =>
  typeof value === 'object' && 'dtype' in value ? `${value.dtype} tensor [${value.shape.join(', ')}]` : value

const isInt = (v: unknown): v is number => typeof v === 'number' && Number.isInteger(v)

/** A whole number. */
export const int = (otherwise: number): AttributeKind<number> => ({
  expects: 'a whole number',
  read: (v) => (isInt(v) ? v : undefined),
  otherwise: () => otherwise,
})

/** A real number. */
export const float = (otherwise: number): AttributeKind<number> => ({
  expects: 'a number',
  read: (v) => (typeof v === 'number' ? v : undefined),
  otherwise: () => otherwise,
})

/** 0 or 1. */
export const flag = (otherwise: boolean): AttributeKind<boolean> => ({
  expects: '0 or 1',
  read: (v) => (v === 0 || v === 1 ? v === 1 : undefined),
  otherwise: () => otherwise,
})

/** A list of whole numbers; undefined where absent. */
export const ints = (): AttributeKind<readonly number[] | undefined> => ({
  expects: 'a list of whole numbers',
  read: (v) => (Array.isArray(v) && v.every(isInt) ? (v as readonly number[]) : undefined),
  otherwise: () => undefined,
})

/** A list of numbers; undefined where absent. */
export const floats = (): AttributeKind<readonly number[] | undefined> => ({
  expects: 'a list of numbers',
  read: (v) => (Array.isArray(v) && v.every((x) => typeof x === 'number') ? (v as readonly number[]) : undefined),
  otherwise: () => undefined,
})

/** One of a few words or numbers that are supported. */
export const oneOf = <T extends string | number>(values: readonly T[], otherwise: T): AttributeKind<T> => ({
  expects: values.join(', '),
  read: (v) => values.find((x) => x === v),
  otherwise: () => otherwise,
  choice: true,
})

/** A tensor; undefined where absent. */
export const tensor = (): AttributeKind<Tensor | undefined> => ({
  expects: 'a tensor',
  read: (v) => (typeof v === 'object' && 'dtype' in v ? v : undefined),
  otherwise: () => undefined,
})

/** An attribute that may be left out, undefined then. */
export const optional = <T>(kind: AttributeKind<T>): AttributeKind<T | undefined> => ({
  ...kind,
  otherwise: () => undefined,
})

/** An attribute that may not be left out. */
export const required = <T>(kind: AttributeKind<T>): AttributeKind<NonNullable<T>> => ({
  ...kind,
  read: (v) => kind.read(v) ?? undefined,
  otherwise: (fail) => fail('is missing'),
})
