import { VeritensorError } from '../errors.ts'

/** A file of sample inputs can't be used. */
export class SampleError extends VeritensorError {}
