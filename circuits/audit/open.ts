import type { LCId, Wire } from '../circuit.ts'
import type { Rows } from './rows.ts'

/** Which wires are open (their property is not established), and how many of them each combination has. */
export type Open = {
  readonly wires: Uint8Array
  /** Open wires of each combination. */
  readonly count: Uint32Array
  /** XOR of them: the one that is left where the count is 1. */
  readonly last: Uint32Array
}

/** All wires but the constant and those in `closed` are open. */
export function openWires({ wires, combinations, start, wire }: Rows, closed: (wire: Wire) => boolean): Open {
  const open = new Uint8Array(wires).fill(1)
  open[0] = 0
  for (let w = 1; w < wires; w++) if (closed(w)) open[w] = 0
  const count = new Uint32Array(combinations)
  const last = new Uint32Array(combinations)
  for (let lc = 0; lc < combinations; lc++)
    for (let i = start[lc]!; i < start[lc + 1]!; i++)
      if (open[wire[i]!] === 1) {
        count[lc]!++
        last[lc]! ^= wire[i]!
      }
  return { wires: open, count, last }
}

/** Closes a wire and tells of every combination that loses it. */
export function closeWire({ homesStart, homes }: Rows, open: Open, wire: Wire, changed: (lc: LCId) => void): void {
  if (open.wires[wire] === 0) return
  open.wires[wire] = 0
  for (let h = homesStart[wire]!; h < homesStart[wire + 1]!; h++) {
    const lc = homes[h]!
    open.count[lc]!--
    open.last[lc]! ^= wire
    changed(lc)
  }
}

/** Rows waiting their turn, each at most once, first in first out. */
export type Queue = { push(row: number): void /** Undefined where none waits. */; pop(): number | undefined }

/** A queue for rows [0, count). */
export function createQueue(count: number): Queue {
  const items = new Uint32Array(count)
  const waiting = new Uint8Array(count)
  let [head, length] = [0, 0]
  return {
    push(row) {
      if (waiting[row] === 1) return
      waiting[row] = 1
      items[(head + length++) % count] = row
    },
    pop() {
      if (length === 0) return undefined
      const row = items[head]!
      head = (head + 1) % count
      length--
      waiting[row] = 0
      return row
    },
  }
}

/** Queues all rows of a combination. */
export function pushUsers({ usersStart, users }: Rows, queue: Queue, lc: LCId): void {
  for (let u = usersStart[lc]!; u < usersStart[lc + 1]!; u++) queue.push(users[u]!)
}
