// A figure that moves: read its controls, draw what they say. Python drew the first state (moving.py),
// so that the figure is whole where no script runs. Every page carries this function and calls it once.
(figure, data) => {
  const form = figure.querySelector("form"), range = form.querySelector("[type=range]");
  const letters = text => [...text].map(letter => (letter.charCodeAt(0) - 97) / 16);  // a is paper, q is ink
  const blend = (a, b, lam) => a.map((value, i) => lam * value + (1 - lam) * b[i]);

  // The pixels of an image of 8 by 8, one path for all pixels of the same grey.
  const ink = values => {
    const greys = new Map();
    values.forEach((value, i) => {
      const grey = Math.floor(100 * value + 0.5);
      if (grey) greys.set(grey, (greys.get(grey) || "") + `M${i % 8} ${Math.floor(i / 8)}h1`);
    });
    return [...greys].map(([grey, d]) => `<path stroke-opacity="${grey / 100}" d="${d}"/>`).join("");
  };

  const bars = values => {
    const [left, pitch, width, base, full] = data.box;
    return values.map((value, i) => {
      const height = +(value * full).toFixed(1);
      return height ? `M${left + pitch * i} ${base}v-${height}h${width}v${height}z` : "";
    }).join("");
  };

  // A network's ten probabilities: one hidden layer of ReLU, then softmax. The weights are in Keras' order.
  const answer = (weights, pixels) => {
    const hidden = (weights.length - 10) / 75;
    const layer = (values, start, units) => Array.from({length: units}, (_, unit) => values.reduce(
      (sum, value, i) => sum + value * weights[start + i * units + unit],
      weights[start + values.length * units + unit]));
    const logits = layer(layer(pixels, 0, hidden).map(value => Math.max(0, value)), 65 * hidden, 10);
    const powers = logits.map(value => Math.exp(value - Math.max(...logits)));
    const total = powers.reduce((sum, value) => sum + value);
    return powers.map(value => value / total);
  };

  const shorts = text => new Int16Array(Uint8Array.from(atob(text), byte => byte.charCodeAt(0)).buffer);
  const networks = (data.networks || []).map(text => Array.from(shorts(text), value => value / 1000));
  const [first, second] = [data.first, data.second].map(images => (images || []).map(letters));

  // Where the states are too many to be stored, they are computed.
  const blended = () => {
    const lam = range.value / range.max, [a, b] = ["first", "second"].map(name => +form.elements[name].value);
    const image = blend(first[a], second[b], lam), label = Array(10).fill(0);
    label[a] += lam;
    label[b] += 1 - lam;
    const bars_of = [label, ...networks.map(weights => answer(weights, image))];
    const numbers = bars_of.flatMap(values => [values[a], values[b]]).map(value => value.toFixed(2));
    return {
      value: lam.toFixed(2),
      sentence: data.say[+(a === b)].replace(/\{(\d+)\}/g, (_, i) => [a, b, ...numbers][i]),
      parts: {image: ink(image), label: bars(bars_of[0]), plain: bars(bars_of[1]), mixup: bars(bars_of[2])},
    };
  };

  const update = () => {
    const state = data.states ? data.states[range.value] : blended();
    const parts = {...state.parts};
    (state.blends || []).forEach((lam, i) => { parts["image" + i] = ink(blend(first[i], second[i], lam)); });
    for (const part of figure.querySelectorAll("[data-part]")) {
      const drawn = parts[part.dataset.part];
      if (part.tagName === "path") part.setAttribute("d", drawn);
      else part.innerHTML = drawn;
    }
    form.querySelector("output").textContent = state.value;
    range.setAttribute("aria-valuetext", `${data.name} ${state.value}`);
    figure.querySelector("[role=img]").setAttribute("aria-label", state.sentence);
    const caption = figure.querySelector("figcaption");
    if (caption.textContent !== state.sentence) caption.textContent = state.sentence;
  };

  form.hidden = false;  // without a script there is nothing to move
  form.addEventListener("input", update);
  form.addEventListener("keydown", event => event.stopPropagation());  // JupyterLab would take the arrow keys
  form.addEventListener("submit", event => event.preventDefault());
  update();  // a browser that goes back to the page may keep where the controls stood
}
