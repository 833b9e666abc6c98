/**
 * Progress on stderr: a live line on a terminal, one line per finished phase elsewhere.
 * @module
 */
import { printable } from './format.ts'

export type Progress = {
  /** Begins a phase. `estimateSeconds` is told beforehand where the phase is long. */
  phase(name: string, estimateSeconds?: number): void
  /** Share of the phase that is done, in [0, 1]. */
  update(fraction: number, detail?: string): void
  /** Ends the phase. */
  done(detail?: string): void
  /** A remark that stays. */
  note(text: string): void
  /** Clears the line of a phase that was left in the midst. */
  close(): void
}

type Stream = { readonly isTTY?: boolean; write(text: string): unknown; readonly columns?: number }

/** Progress that says nothing, for `--quiet`. */
export const silent: Progress = { phase() {}, update() {}, done() {}, note() {}, close() {} }

const BAR = 24

/** Progress on a stream; `now` in milliseconds. */
export function createProgress(stream: Stream, now: () => number): Progress {
  let current: { readonly name: string; readonly start: number } | undefined
  let drawn = 0
  const clear = (): void => {
    if (stream.isTTY) stream.write('\r\u001b[2K')
  }
  return {
    phase(name, estimateSeconds) {
      current = { name, start: now() }
      drawn = 0
      if (stream.isTTY) stream.write(`${name} …`)
      else if (estimateSeconds !== undefined && estimateSeconds > 2)
        stream.write(`${name} … about ${formatSeconds(estimateSeconds)}\n`)
    },
    update(fraction, detail = '') {
      if (current === undefined || !stream.isTTY || now() - drawn < 80) return
      drawn = now()
      const elapsed = (now() - current.start) / 1000
      const rest = fraction > 0.02 ? ` · ${formatSeconds((elapsed / fraction) * (1 - fraction))} left` : ''
      const full = Math.round(fraction * BAR)
      const line = `${current.name} ${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${Math.round(fraction * 100)} %${rest} ${detail}`
      clear()
      stream.write(line.slice(0, (stream.columns ?? 100) - 1))
    },
    done(detail) {
      if (current === undefined) return
      clear()
      const seconds = (now() - current.start) / 1000
      stream.write(`${current.name} · ${formatSeconds(seconds)}${detail ? ` · ${detail}` : ''}\n`)
      current = undefined
    },
    note(text) {
      clear()
      stream.write(`${printable(text)}\n`)
    },
    close() {
      if (current !== undefined) clear()
      current = undefined
    },
  }
}

/** 0.42 s, 12 s, 3 min 5 s. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}
