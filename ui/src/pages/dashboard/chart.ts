// The parts of ECharts that the charts of lines need; the rest is not loaded.

import { LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, TooltipComponent } from "echarts/components";
import { init, use, type EChartsType } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([LineChart, AriaComponent, GridComponent, TooltipComponent, SVGRenderer]);

export { init, type EChartsType };
