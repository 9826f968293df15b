/**
 * Metrics: functions of scores and labels, without a model or a device.
 *
 * @example
 * const { area } = metrics.rocCurve(scores, labels);
 */

export {
  brierScore,
  type Calibration,
  type CalibrationOptions,
  calibration,
  type ReliabilityBin,
} from "./calibration.js";
export type { ScoreRows } from "./checks.js";
export {
  accuracy,
  type ClassScores,
  confusionMatrix,
  type PrecisionRecall,
  precisionRecall,
  predictedClasses,
  topKAccuracy,
} from "./classification.js";
export {
  areaUnder,
  averagePrecisions,
  type BinaryLabels,
  type OneVersusRest,
  type PrecisionRecallCurve,
  precisionRecallCurve,
  type RocCurve,
  rocAreas,
  rocCurve,
} from "./curves.js";
export { type Attributes, type Grouping, groupBy } from "./groups.js";
export { type PictureScoreOptions, psnr, ssim } from "./pictures.js";
export { type RegressionReport, regressionReport } from "./regression.js";
export {
  type ClassificationReport,
  type ClassificationReportOptions,
  type ClassReport,
  classificationReport,
} from "./report.js";
export {
  type PixelClassScores,
  PixelCounts,
  type PixelCountsOptions,
  type SegmentationReport,
} from "./segmentation.js";
export {
  type Difference,
  type Estimate,
  type Partition,
  type RateName,
  type Rates,
  rateNames,
  type Subgroup,
  type SubgroupOptions,
  type SubgroupReport,
  subgroupReport,
} from "./subgroups.js";
