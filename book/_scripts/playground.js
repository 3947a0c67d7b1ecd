// The part of the playground that the reader sees and touches; nets.js computes.
"use strict";
{
  const ALPHAS = [0, 0.01, 0.05, 0.1, 0.2, 0.4, 1, 2, 4, 8, 16, 32]; // the stops of the alpha slider
  const STRIDE = 4; // training steps between two pictures, so that a run looks the same on any computer
  const END = 2000;
  const EVERY = 20; // steps between two points of a curve

  // The colours and lines of mixup_helpers/figures.py.
  const CLASSES = ["#009E73", "#AA4499"];
  const TINTS = [[134, 207, 182], [255, 255, 255], [221, 166, 210]]; // sure of class 0, undecided, sure of class 1
  const PLAIN = { name: "plain", color: "#0072B2", dash: [] };
  const MIXUP = { name: "mixup", color: "#D55E00", dash: [6, 3] };

  const MAP = mapPoints();
  const find = (name) => document.getElementById(`playground-${name}`);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  let run;
  let curves;
  let seed = 1;
  let playing = false;
  let coming; // the next frame
  let drawn = 0; // when the pictures were last drawn, in milliseconds
  let told = 0; // and when the sentences were last written

  // ---- Settings ----

  function settings() {
    return {
      data: document.querySelector("input[name=playground-data]:checked").value,
      noise: Number(find("noise").value),
      wrong: Number(find("wrong").value) / 100,
      alpha: ALPHAS[find("alpha").value],
      seed,
    };
  }

  function showValue(name, shown) {
    find(name).setAttribute("aria-valuetext", shown);
    find(`${name}-value`).textContent = shown;
  }

  // Every change starts both networks anew; if they were playing, they go on.
  function restart() {
    const { noise, wrong, alpha } = settings();
    showValue("noise", noise.toFixed(2));
    showValue("wrong", `${Math.round(100 * wrong)}%`);
    showValue("alpha", String(alpha));
    run = new Run(settings());
    curves = [];
    record();
    show();
  }

  // ---- Training ----

  function record() {
    const measures = ({ name }) => [run[name].measure(run.training), run[name].measure(run.fresh)];
    curves.push({ steps: run.steps, plain: measures(PLAIN), mixup: measures(MIXUP) });
  }

  function advance() {
    run.step();
    if (run.steps % EVERY === 0) record();
  }

  function frame(now) {
    for (let i = 0; i < STRIDE && run.steps < END; i++) advance();
    if (run.steps >= END) return setPlaying(false);
    if (now - drawn >= (calm.matches ? 1000 : 0)) {
      drawn = now;
      draw();
    }
    if (now - told >= 1000) {
      told = now;
      tell();
    }
    coming = requestAnimationFrame(frame);
  }

  function setPlaying(wanted) {
    playing = wanted;
    cancelAnimationFrame(coming);
    if (playing) coming = requestAnimationFrame(frame);
    find("play").textContent = playing ? "Pause" : "Play";
    // A sentence each second would drown a screen reader; at rest each change is read out.
    find("status").setAttribute("aria-live", playing ? "off" : "polite");
    if (!playing) show();
  }

  // ---- Pictures ----

  function show() {
    draw();
    tell();
  }

  function draw() {
    drawMap(find("map-plain"), run.plain);
    drawMap(find("map-mixup"), run.mixup, playing ? undefined : run.blends);
    drawCurves(find("loss"), "loss", [0, lossTop()]);
    drawCurves(find("accuracy"), "accuracy", [0.5, 1]);
  }

  // The canvas as sharp as the screen, its pen in CSS pixels, cleared to white.
  function prepare(canvas) {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const ratio = window.devicePixelRatio;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.fillStyle = "white";
    pen.fillRect(0, 0, width, height);
    return { pen, width, height };
  }

  function tint(p) {
    const [from, to, share] = p < 0.5 ? [TINTS[0], TINTS[1], 2 * p] : [TINTS[1], TINTS[2], 2 * p - 1];
    return from.map((value, k) => value + share * (to[k] - value));
  }

  const shading = document.createElement("canvas");
  shading.width = shading.height = GRID;

  function drawMap(canvas, network, blends) {
    const { pen, width } = prepare(canvas);
    const p = network.predict(MAP);
    const cell = width / GRID;
    const image = new ImageData(GRID, GRID);
    p.forEach((value, i) => {
      const fromTop = GRID - 1 - Math.floor(i / GRID);
      image.data.set([...tint(value), 255], 4 * (fromTop * GRID + (i % GRID)));
    });
    shading.getContext("2d").putImageData(image, 0, 0);
    pen.drawImage(shading, 0, 0, width, width); // smoothed: each cell's colour stands in its middle

    pen.lineWidth = 2;
    pen.strokeStyle = "black";
    pen.beginPath();
    for (const [x1, y1, x2, y2] of boundary(p)) {
      pen.moveTo((x1 + 0.5) * cell, width - (y1 + 0.5) * cell);
      pen.lineTo((x2 + 0.5) * cell, width - (y2 + 0.5) * cell);
    }
    pen.stroke();

    const place = (x, i) => [(x[2 * i] / SIDE + 1) * width / 2, (1 - x[2 * i + 1] / SIDE) * width / 2];
    run.training.y.forEach((label, i) => drawPoint(pen, place(run.training.x, i), label, run.training.wrong[i]));
    blends?.y.forEach((_, i) => drawDot(pen, place(blends.x, i)));
  }

  // A circle or a square, with a cross if its label is wrong.
  function drawPoint(pen, [x, y], label, wrong) {
    pen.beginPath();
    if (label) pen.rect(x - 3.5, y - 3.5, 7, 7);
    else pen.arc(x, y, 4, 0, 2 * Math.PI);
    pen.fillStyle = CLASSES[label];
    pen.fill();
    pen.lineWidth = 1;
    pen.strokeStyle = "white";
    pen.stroke();
    if (!wrong) return;
    pen.beginPath();
    for (const slope of [-1, 1]) {
      pen.moveTo(x - 5, y - 5 * slope);
      pen.lineTo(x + 5, y + 5 * slope);
    }
    pen.lineWidth = 1.5;
    pen.strokeStyle = "black";
    pen.stroke();
  }

  function drawDot(pen, [x, y]) {
    pen.beginPath();
    pen.arc(x, y, 1.75, 0, 2 * Math.PI);
    pen.fillStyle = "black";
    pen.fill();
  }

  function lossTop() {
    const seen = curves.flatMap(({ plain, mixup }) => [...plain, ...mixup].map(({ loss }) => loss));
    return Math.max(1, Math.ceil(2 * Math.max(...seen)) / 2);
  }

  // Both networks' curves: thin on the training points, thick on fresh points.
  function drawCurves(canvas, measure, [low, high]) {
    const { pen, width, height } = prepare(canvas);
    const [left, right, top, bottom] = [34, width - 14, 24, height - 22];
    const across = (steps) => left + (steps / END) * (right - left);
    const up = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);

    pen.font = "12px sans-serif";
    pen.fillStyle = pen.strokeStyle = "#333";
    pen.fillText(measure, left, 14);
    pen.fillText("0", left - 3, height - 6);
    pen.textAlign = "right";
    pen.fillText(`${END} steps`, width - 4, height - 6);
    for (const value of [low, high]) pen.fillText(value.toFixed(1), left - 6, up(value) + 4);
    pen.strokeRect(left, top, right - left, bottom - top);

    pen.beginPath();
    pen.rect(left, top - 1, right - left, bottom - top + 2);
    pen.clip();
    for (const { name, color, dash } of [PLAIN, MIXUP]) {
      for (const fresh of [0, 1]) {
        pen.strokeStyle = color;
        pen.lineWidth = fresh ? 2.5 : 1;
        pen.setLineDash(dash);
        pen.beginPath();
        for (const point of curves) pen.lineTo(across(point.steps), up(point[name][fresh][measure]));
        pen.stroke();
      }
    }
  }

  // ---- Sentences ----

  function tell() {
    const [plain, mixup] = [run.plain.measure(run.fresh), run.mixup.measure(run.fresh)];
    const percent = (share) => `${Math.round(100 * share)}%`;
    const summary = ({ accuracy, confidence }) =>
      `${percent(accuracy)} of fresh points right, mean confidence ${confidence.toFixed(2)}`;
    find("caption-plain").textContent = `Without MixUp: ${summary(plain)}`;
    find("caption-mixup").textContent = `With MixUp: ${summary(mixup)}`;
    for (const measure of ["loss", "accuracy"]) {
      const values = [plain, mixup].map((found) => found[measure].toFixed(2));
      find(measure).setAttribute(
        "aria-label", `Curves of the ${measure}. On fresh points now: ${values[0]} without MixUp, ${values[1]} with it.`);
    }
    const lam = run.blends && !playing ? ` The last batch had lam ${run.blends.lam.toFixed(2)}.` : "";
    const result = run.steps > 0
      ? `Fresh points right: ${percent(plain.accuracy)} without MixUp, ${percent(mixup.accuracy)} with it.${lam}`
      : "Nothing is learned yet.";
    find("status").textContent = `Seed ${seed}, step ${run.steps} of ${END}. ${result}`;
  }

  // ---- Start ----

  find("play").addEventListener("click", () => {
    if (run.steps >= END) restart();
    setPlaying(!playing);
  });
  find("step").addEventListener("click", () => {
    if (run.steps < END) advance();
    setPlaying(false);
  });
  find("reset").addEventListener("click", () => {
    setPlaying(false);
    restart();
  });
  find("seed").addEventListener("click", () => {
    seed += 1;
    restart();
  });
  find("controls").addEventListener("input", restart);
  restart();
  find("controls").disabled = false;
  new ResizeObserver(draw).observe(find("map-plain"));
}
