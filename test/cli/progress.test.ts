import { describe, expect, test } from 'vitest'
import { createProgress, formatSeconds, silent } from '../../src/cli/progress.ts'

function recorder(isTTY: boolean, columns = 80) {
  let text = ''
  let time = 0
  const stream = {
    isTTY,
    columns,
    write: (part: string) => {
      text += part
    },
  }
  return {
    progress: createProgress(stream, () => time),
    /** What was written since the last call. */
    take: () => {
      const taken = text
      text = ''
      return taken
    },
    pass: (ms: number) => {
      time += ms
    },
  }
}

describe('not on a terminal', () => {
  test('one line per finished phase, no control characters', () => {
    const { progress, take, pass } = recorder(false)
    progress.phase('setup')
    for (let i = 0; i <= 10; i++) {
      pass(150)
      progress.update(i / 10, 'detail')
    }
    expect(take()).toBe('')
    progress.done('3 keys')
    expect(take()).toBe('setup · 1.6 s · 3 keys\n')
    progress.done()
    expect(take()).toBe('')
  })

  test('a long phase is told beforehand', () => {
    const { progress, take } = recorder(false)
    progress.phase('setup', 2)
    expect(take()).toBe('')
    progress.phase('setup', 130)
    expect(take()).toBe('setup … about 2 min 10 s\n')
  })

  test('remarks stand for themselves', () => {
    const { progress, take } = recorder(false)
    progress.phase('setup')
    progress.note('a remark')
    progress.close()
    expect(take()).toBe('a remark\n')
  })
})

describe('on a terminal', () => {
  test('a line that is drawn anew, not more often than the eye sees', () => {
    const { progress, take, pass } = recorder(true)
    progress.phase('prove')
    expect(take()).toBe('prove …')
    pass(100)
    progress.update(0.25, '1 of 4')
    expect(take()).toBe('\r\u001b[2Kprove ██████░░░░░░░░░░░░░░░░░░ 25 % · 0.30 s left 1 of 4')
    pass(20)
    progress.update(0.5)
    expect(take()).toBe('')
    pass(80)
    progress.update(1)
    expect(take()).toContain('████████████████████████ 100 %')
    progress.done('4 proofs')
    expect(take()).toBe('\r\u001b[2Kprove · 0.20 s · 4 proofs\n')
  })

  test('a line fits the terminal', () => {
    const { progress, take, pass } = recorder(true, 30)
    progress.phase('prove')
    take()
    pass(100)
    progress.update(0.5, 'x'.repeat(100))
    expect(take().replace('\r\u001b[2K', '')).toHaveLength(29)
  })

  test('remarks and errors begin on a clean line', () => {
    const { progress, take } = recorder(true)
    progress.phase('prove')
    take()
    progress.note('a remark')
    expect(take()).toBe('\r\u001b[2Ka remark\n')
    progress.close()
    expect(take()).toBe('\r\u001b[2K')
    progress.close()
    expect(take()).toBe('')
  })
})

test('silent says nothing and takes all calls', () => {
  silent.phase('x', 100)
  silent.update(0.5)
  silent.note('x')
  silent.done()
  silent.close()
})

test('seconds for people', () => {
  expect([0.004, 0.42, 3.14, 12.4, 119.7, 185].map(formatSeconds)).toEqual([
    ...['0.00 s', '0.42 s', '3.1 s', '12 s', '120 s', '3 min 5 s'],
  ])
})
