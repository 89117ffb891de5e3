import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { Environment } from "../environment";

/** What functions count with, in CloudWatch's namespace `Bulkhead`. */
export interface Count {
  /**
   * Adds to a metric that is kept apart by these dimensions.
   * @param value how much @default 1
   */
  add(metric: string, dimensions: Record<string, string>, value?: number): void;
}

/** The function's metrics, written into its log in the embedded metric format: no call, so nothing that could fail or take time. */
export function createCount(environment: Environment = process.env): Count {
  const metrics = new Metrics({
    namespace: environment.POWERTOOLS_METRICS_NAMESPACE ?? "Bulkhead",
    serviceName: environment.POWERTOOLS_SERVICE_NAME ?? "bulkhead",
  });
  return {
    add(metric, dimensions, value = 1) {
      // One document each: dimensions differ from call to call.
      const single = metrics.singleMetric();
      single.addDimensions(dimensions);
      single.addMetric(metric, MetricUnit.Count, value);
    },
  };
}
