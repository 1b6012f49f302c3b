//! Stocks and their slots.

use super::Compiler;
use crate::formula::{NO_SLOT, Scope};
use crate::model::{Formula, Slot, Stock};
use crate::scenario::raw::{PerKey, RawStock};
use crate::scenario::tree::Path;

impl Compiler<'_> {
    pub(super) fn stocks(&mut self) -> (Vec<Stock>, Vec<Slot>) {
        let raw = self.raw;
        let mut stocks = Vec::new();
        let mut slots = Vec::new();
        for (id, stock) in &raw.stock {
            let Some(table) = self.names.stocks.get(id.as_str()).cloned() else {
                continue;
            };
            let path = Path::keys(["stock", id]);
            for (key, values) in [
                ("baseline", &stock.baseline),
                ("half_life", &stock.half_life),
            ] {
                if let Some(values) = values {
                    self.names
                        .check_keys(stock.of, values, &path.key(key), &mut self.problems);
                }
            }
            if stock.baseline.is_some() && stock.half_life.is_none() {
                self.problems.warning(
                    &path.key("baseline"),
                    "a stock without `half_life` never moves to its baseline",
                );
            }
            let scope = Scope::parameters("a stock's bound");
            let bound = |compiler: &mut Self, key: &str, bound: &Option<_>| {
                (bound.as_ref()).map(|bound| compiler.number(bound, &path.key(key), &scope))
            };
            let min = bound(self, "min", &stock.min);
            let max = bound(self, "max", &stock.max);
            for (index, &slot) in table.slots.iter().enumerate() {
                if slot == NO_SLOT {
                    continue;
                }
                let (row, column) = (
                    index / table.columns as usize,
                    index % table.columns as usize,
                );
                let mut value = |key: &str, values: &Option<PerKey>| {
                    let values = values.as_ref()?;
                    self.slot_value(stock, values, row, column, &path.key(key))
                };
                let baseline = value("baseline", &stock.baseline);
                let half_life = value("half_life", &stock.half_life);
                let initial = value("initial", &Some(stock.initial.clone()));
                let Some(initial) = initial else {
                    continue;
                };
                slots.push(Slot {
                    initial,
                    baseline,
                    half_life,
                    min: min.clone(),
                    max: max.clone(),
                });
            }
            stocks.push(Stock {
                slots: table.slots,
                columns: table.columns,
                elsewhere: table.elsewhere,
            });
        }
        (stocks, slots)
    }

    fn slot_value(
        &mut self,
        stock: &RawStock,
        values: &PerKey,
        row: usize,
        column: usize,
        path: &Path,
    ) -> Option<Formula> {
        let (expression, keys) = self.names.value_of(stock, values, row, column)?;
        let path = keys.iter().fold(path.clone(), |path, &key| path.key(key));
        let scope = Scope::parameters("a stock's start, baseline or half-life");
        Some(self.number(expression, &path, &scope))
    }
}
