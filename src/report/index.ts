/**
 * `fovea/report`: what training and evaluation came to, as SVG and as a page. Text in, text out; works in Node and in
 * browsers.
 */

export { drawConfusion } from "./confusion.js";
export { type Confused, type Confusion, frequentConfusions, type Mistake, type RunReport, reportPage } from "./page.js";
export { type PictureStrip, type PixelEpoch, type PixelsRunReport, pixelsReportPage } from "./pixels.js";
export { drawPlot, type PlotLine, type PlotOptions } from "./plot.js";
export { drawReliability } from "./reliability.js";
export { type TaskSection, type TasksRunReport, tasksReportPage } from "./tasks.js";
