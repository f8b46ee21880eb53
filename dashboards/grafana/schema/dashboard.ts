import type {Dashboard} from '@grafana/schema';
import type * as barchart from '@grafana/schema/dist/esm/raw/composable/barchart/panelcfg/x/BarChartPanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as heatmap from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type * as statetimeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as statushistory from '@grafana/schema/dist/esm/raw/composable/statushistory/panelcfg/x/StatusHistoryPanelCfg_types.gen';
import type {TableFieldOptions} from '@grafana/schema';
export interface All {
  dashboard: Dashboard;
  barchart_options: barchart.Options; barchart_custom: barchart.FieldConfig;
  timeseries_options: timeseries.Options; timeseries_custom: timeseries.FieldConfig;
  stat_options: stat.Options;
  table_options: table.Options; table_custom: TableFieldOptions;
  heatmap_options: heatmap.Options; heatmap_custom: heatmap.FieldConfig;
  'state-timeline_options': statetimeline.Options; 'state-timeline_custom': statetimeline.FieldConfig;
  'status-history_options': statushistory.Options; 'status-history_custom': statushistory.FieldConfig;
}
