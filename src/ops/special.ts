/** The error function, to about 1e-15: its power series near 0, the continued fraction of its complement beyond. */
export function errorFunction(x: number): number {
  const t = Math.abs(x)
  if (t > 6) return Math.sign(x)
  const factor = (2 / Math.sqrt(Math.PI)) * Math.exp(-t * t)
  if (t < 3) {
    // erf x = 2/√π · e^(-x²) · Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1))
    let [term, sum] = [t, t]
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= (2 * t * t) / (2 * n + 1)
      sum += term
    }
    return Math.sign(x) * factor * sum
  }
  // erfc x = e^(-x²)/√π · 1 / (x + ½ / (x + 1 / (x + 3/2 / (x + …
  let fraction = t
  for (let k = 40; k >= 1; k--) fraction = t + k / 2 / fraction
  return Math.sign(x) * (1 - factor / 2 / fraction)
}
