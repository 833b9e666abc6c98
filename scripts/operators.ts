/**
 * Writes docs/operators.md.
 *
 * usage: npx tsx scripts/operators.ts
 */
import { writeFileSync } from 'node:fs'
import { operatorsPage, pagePath } from './operators/page.ts'

writeFileSync(pagePath, operatorsPage())
