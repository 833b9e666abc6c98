/** A process that answers mutants of the fuzzer in ways that no compiler should: the first byte says how. */
const held: Uint8Array[] = []
process.on('message', (order: { readonly mutant?: Uint8Array }) => {
  const how = order.mutant?.[0]
  if (how === 0) process.send!({ kind: 'compiled' })
  if (how === 1) for (;;);
  if (how === 2) for (;;) held.push(new Uint8Array(2 ** 24).fill(1))
  if (how === 3) process.exit(7)
  if (how === 4) throw new Error('of its own')
})
process.on('disconnect', () => process.exit(0))
