/** A worker that can't start. */
throw new Error('this module does not load')
