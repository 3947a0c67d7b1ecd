// The part of the playground that draws nothing: random numbers, data, networks, training.
// tests/browser/test_playground.py compares it with NumPy, SciPy and Keras.
// It is a classic script, not a module: browsers refuse modules on pages opened from disk.
"use strict";

const HIDDEN = [24, 24];
const RATE = 0.01;
const BATCH = 50;
const TRAINING = 200; // points to learn from
const FRESH = 500; // points to be tested on
const SIDE = 2.25; // the map reaches from -SIDE to SIDE, both ways
const GRID = 40; // cells of the map along each side

// Numbers that look random and depend on the seed alone: sfc32 by Chris Doty-Humphrey.
class Random {
  constructor(seed, stream) {
    this.state = [seed | 0, stream | 0, 0, 1];
    for (let i = 0; i < 20; i++) this.uniform(); // neighbouring seeds need some rounds to part
  }

  // Strictly between 0 and 1, so that its logarithm is finite.
  uniform() {
    const [a, b, c, count] = this.state;
    const t = (a + b + count) | 0;
    this.state = [b ^ (b >>> 9), (c + (c << 3)) | 0, (((c << 21) | (c >>> 11)) + t) | 0, (count + 1) | 0];
    return ((t >>> 0) + 0.5) / 2 ** 32;
  }

  // Box and Muller.
  normal() {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  // Fisher and Yates.
  permutation(n) {
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(this.uniform() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  // The logarithm of a Gamma(shape) draw: Marsaglia and Tsang (2000) for shape + 1, brought down to shape.
  // The logarithm, because for a small shape most draws are too small for a number.
  logGamma(shape) {
    const d = shape + 2 / 3;
    for (;;) {
      const z = this.normal();
      const v = (1 + z / Math.sqrt(9 * d)) ** 3;
      if (v > 0 && Math.log(this.uniform()) < z * z / 2 + d * (1 - v + Math.log(v))) {
        return Math.log(d * v) + Math.log(this.uniform()) / shape;
      }
    }
  }

  // Beta(alpha, alpha) for any alpha > 0: the share of one Gamma draw in the sum of two.
  beta(alpha) {
    return 1 / (1 + Math.exp(this.logGamma(alpha) - this.logGamma(alpha)));
  }
}

// Point number i of each data set, before noise: two coordinates and a class.
const DATA = {
  moons(i, random) {
    const t = Math.PI * random.uniform();
    const side = i % 2 ? -1 : 1;
    return [side * (Math.cos(t) - 0.5), side * (Math.sin(t) - 0.25), i % 2];
  },
  circles(i, random) {
    const t = 2 * Math.PI * random.uniform();
    const radius = i % 2 ? 0.7 : 1.5;
    return [radius * Math.cos(t), radius * Math.sin(t), i % 2];
  },
  spirals(i, random) {
    const r = Math.sqrt(random.uniform()); // the root spreads the points evenly along the arm
    const t = 2.5 * Math.PI * r + Math.PI * (i % 2);
    return [1.8 * r * Math.cos(t), 1.8 * r * Math.sin(t), i % 2];
  },
  // Three places on a line, of classes 0, 1 and 0.
  places(i) {
    return [1.2 * ((i % 3) - 1), 0, i % 3 === 1 ? 1 : 0];
  },
};

// n points as { x, y, wrong }: coordinates in one row after the other, given classes, and which of them are wrong.
function makeData(name, n, { noise, wrong }, random) {
  const x = new Float64Array(2 * n);
  const y = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const [first, second, label] = DATA[name](i, random);
    x[2 * i] = first + noise * random.normal();
    x[2 * i + 1] = second + noise * random.normal();
    y[i] = label;
  }
  const isWrong = new Array(n).fill(false);
  for (const i of random.permutation(n).slice(0, Math.round(wrong * n))) {
    isWrong[i] = true;
    y[i] = 1 - y[i];
  }
  return { x, y, wrong: isWrong };
}

// lam of each row, and 1 - lam of its partner: points and classes alike (Zhang et al. 2018).
function mix({ x, y }, rows, partners, lam) {
  const mixed = { x: new Float64Array(2 * rows.length), y: new Float64Array(rows.length) };
  rows.forEach((a, i) => {
    const b = partners[i];
    mixed.x[2 * i] = lam * x[2 * a] + (1 - lam) * x[2 * b];
    mixed.x[2 * i + 1] = lam * x[2 * a + 1] + (1 - lam) * x[2 * b + 1];
    mixed.y[i] = lam * y[a] + (1 - lam) * y[b];
  });
  return mixed;
}

// What `models.perceptron((2,), HIDDEN, 2)` is in Python: ReLU layers, two outputs with a softmax,
// cross-entropy, Adam, here with a rate of its own. Weights start as in Keras (Glorot uniform), biases at 0.
class Network {
  constructor(random) {
    this.sizes = [2, ...HIDDEN, 2];
    this.weights = []; // kernel, bias, kernel, bias, ... in the order of Keras; a kernel row by row
    for (let k = 1; k < this.sizes.length; k++) {
      const [inputs, outputs] = [this.sizes[k - 1], this.sizes[k]];
      const limit = Math.sqrt(6 / (inputs + outputs));
      const kernel = Float64Array.from({ length: inputs * outputs }, () => limit * (2 * random.uniform() - 1));
      this.weights.push(kernel, new Float64Array(outputs));
    }
    this.mean = this.weights.map((w) => new Float64Array(w.length)); // Adam's running means of the gradient
    this.square = this.weights.map((w) => new Float64Array(w.length)); // and of its square
    this.steps = 0;
  }

  // What each layer answers to n points: [x, hidden, ..., outputs before the softmax].
  layers(x) {
    const n = x.length / 2;
    const answers = [x];
    for (let k = 1; k < this.sizes.length; k++) {
      const [inputs, outputs] = [this.sizes[k - 1], this.sizes[k]];
      const [kernel, bias] = this.weights.slice(2 * k - 2);
      const from = answers[k - 1];
      const to = new Float64Array(n * outputs);
      for (let row = 0; row < n; row++) {
        const at = row * outputs;
        for (let o = 0; o < outputs; o++) to[at + o] = bias[o];
        for (let i = 0; i < inputs; i++) {
          const value = from[row * inputs + i];
          if (value === 0) continue; // about half of them, after a ReLU
          for (let o = 0; o < outputs; o++) to[at + o] += value * kernel[i * outputs + o];
        }
      }
      if (k < this.sizes.length - 1) for (let i = 0; i < to.length; i++) if (to[i] < 0) to[i] = 0;
      answers.push(to);
    }
    return answers;
  }

  // How much more output 1 says than output 0, for each point.
  logits(x) {
    const z = this.layers(x).at(-1);
    return Float64Array.from({ length: z.length / 2 }, (_, i) => z[2 * i + 1] - z[2 * i]);
  }

  // The probability of class 1 for each point.
  predict(x) {
    return this.logits(x).map((z) => 1 / (1 + Math.exp(-z)));
  }

  // Mean cross-entropy, share of points put in their given class, mean probability of the class chosen.
  measure({ x, y }) {
    const sum = { loss: 0, accuracy: 0, confidence: 0 };
    this.logits(x).forEach((z, i) => {
      sum.loss += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - y[i] * z;
      sum.accuracy += (z > 0 ? 1 : 0) === y[i];
      sum.confidence += 1 / (1 + Math.exp(-Math.abs(z)));
    });
    return { loss: sum.loss / y.length, accuracy: sum.accuracy / y.length, confidence: sum.confidence / y.length };
  }

  // The slope of the mean loss along each weight, by backpropagation.
  gradients({ x, y }) {
    const n = y.length;
    const answers = this.layers(x);
    const slopes = this.weights.map((w) => new Float64Array(w.length));
    // For softmax with cross-entropy, the loss slopes with the outputs by (answer - label).
    let back = answers.at(-1).map((_, i, z) => {
      const other = i ^ 1;
      const label = i % 2 ? y[i >> 1] : 1 - y[i >> 1];
      return (1 / (1 + Math.exp(z[other] - z[i])) - label) / n;
    });
    for (let k = this.sizes.length - 1; k > 0; k--) {
      const [inputs, outputs] = [this.sizes[k - 1], this.sizes[k]];
      const kernel = this.weights[2 * k - 2];
      const [kernelSlope, biasSlope] = slopes.slice(2 * k - 2);
      const from = answers[k - 1];
      const before = new Float64Array(n * inputs);
      for (let row = 0; row < n; row++) {
        const at = row * outputs;
        for (let o = 0; o < outputs; o++) biasSlope[o] += back[at + o];
        for (let i = 0; i < inputs; i++) {
          const value = from[row * inputs + i];
          if (value === 0) continue; // an idle ReLU passes nothing, either way
          let sum = 0;
          for (let o = 0; o < outputs; o++) {
            kernelSlope[i * outputs + o] += value * back[at + o];
            sum += kernel[i * outputs + o] * back[at + o];
          }
          before[row * inputs + i] = sum;
        }
      }
      back = before;
    }
    return slopes;
  }

  // One step of Adam, as Keras writes it.
  train(batch) {
    this.steps += 1;
    const rate = (RATE * Math.sqrt(1 - 0.999 ** this.steps)) / (1 - 0.9 ** this.steps);
    this.gradients(batch).forEach((slope, k) => {
      const [w, mean, square] = [this.weights[k], this.mean[k], this.square[k]];
      slope.forEach((g, i) => {
        mean[i] += (g - mean[i]) * 0.1;
        square[i] += (g * g - square[i]) * 0.001;
        w[i] -= (rate * mean[i]) / (Math.sqrt(square[i]) + 1e-7);
      });
    });
  }
}

// Two networks from one start on the same batches, one of them with MixUp.
// settings: { data, noise, wrong, alpha, seed }
class Run {
  constructor(settings) {
    this.settings = settings;
    // A stream for each purpose: another alpha leaves the points, the start and the batches as they are.
    const stream = (purpose) => new Random(settings.seed, purpose);
    this.training = makeData(settings.data, TRAINING, settings, stream(1));
    this.fresh = makeData(settings.data, FRESH, { ...settings, wrong: 0 }, stream(2));
    this.plain = new Network(stream(3));
    this.mixup = new Network(stream(3));
    this.batches = stream(4);
    this.lams = stream(5);
    this.steps = 0;
  }

  // Which points come next, and how they are mixed.
  draw() {
    const { alpha } = this.settings;
    const rows = this.batches.permutation(TRAINING).slice(0, BATCH);
    const partners = this.batches.permutation(BATCH).map((i) => rows[i]);
    return { rows, partners, lam: alpha > 0 ? this.lams.beta(alpha) : 1 };
  }

  step() {
    const { rows, partners, lam } = this.draw();
    this.blends = { lam, ...mix(this.training, rows, partners, lam) };
    this.plain.train(mix(this.training, rows, partners, 1));
    this.mixup.train(this.blends);
    this.steps += 1;
  }
}

// The middles of the map's cells, row by row from below.
function mapPoints() {
  const middle = (k) => ((2 * k + 1) / GRID - 1) * SIDE;
  return Float64Array.from({ length: 2 * GRID * GRID }, (_, i) =>
    middle(i % 2 ? Math.floor(i / 2 / GRID) : (i / 2) % GRID));
}

// Where values on a square grid cross the level: pieces [x1, y1, x2, y2], in cells from the first value
// (marching squares).
function boundary(values, level = 0.5) {
  const pieces = [];
  const size = Math.sqrt(values.length);
  const around = [[0, 0], [1, 0], [1, 1], [0, 1]]; // the corners of a cell, once around it
  for (let row = 0; row < size - 1; row++) {
    for (let column = 0; column < size - 1; column++) {
      const above = around.map(([right, up]) => values[(row + up) * size + column + right] - level);
      const crossings = around.flatMap(([right, up], k) => {
        const next = (k + 1) % 4;
        if (above[k] > 0 === above[next] > 0) return [];
        const share = above[k] / (above[k] - above[next]);
        return [[column + right + share * (around[next][0] - right), row + up + share * (around[next][1] - up)]];
      });
      for (let k = 0; k < crossings.length; k += 2) pieces.push([...crossings[k], ...crossings[k + 1]]);
    }
  }
  return pieces;
}
