//! Counting flags, for the aggregates `harm_rate` and `source_verdict`: the state is two counts,
//! rows and harmful rows. A NULL flag counts as harmful: what was not judged is not clean.

use std::fmt;
use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

/// Turns counts (rows, harmful rows), one pair for each group, into results.
pub(crate) type Finish = Arc<dyn Fn(&[i64], &[i64]) -> Result<ArrayRef> + Send + Sync>;

/// The state's fields of an aggregate called `name`.
pub(crate) fn state_fields(name: &str) -> Vec<FieldRef> {
    ["n", "harmful"]
        .into_iter()
        .map(|count| {
            Arc::new(Field::new(
                format_state_name(name, count),
                DataType::Int64,
                false,
            ))
        })
        .collect()
}

fn is_harmful(flags: &BooleanArray, row: usize) -> bool {
    flags.is_null(row) || flags.value(row)
}

fn harmful(flags: &BooleanArray) -> i64 {
    (flags.null_count() + flags.true_count()) as i64
}

/// Counts of one group.
pub(crate) struct Counts {
    n: i64,
    harmful: i64,
    finish: Finish,
}

impl Counts {
    pub(crate) fn new(finish: Finish) -> Self {
        Self {
            n: 0,
            harmful: 0,
            finish,
        }
    }
}

impl fmt::Debug for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Counts")
            .field("n", &self.n)
            .field("harmful", &self.harmful)
            .finish_non_exhaustive()
    }
}

impl Accumulator for Counts {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let flags = values[0].as_boolean();
        self.n += flags.len() as i64;
        self.harmful += harmful(flags);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let flags = values[0].as_boolean();
        self.n -= flags.len() as i64;
        self.harmful -= harmful(flags);
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&(self.finish)(&[self.n], &[self.harmful])?, 0)
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.n.into(), self.harmful.into()])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let sum = |states: &ArrayRef| {
            states
                .as_primitive::<Int64Type>()
                .iter()
                .flatten()
                .sum::<i64>()
        };
        self.n += sum(&states[0]);
        self.harmful += sum(&states[1]);
        Ok(())
    }
}

/// Counts of many groups.
pub(crate) struct GroupCounts {
    n: Vec<i64>,
    harmful: Vec<i64>,
    finish: Finish,
}

impl GroupCounts {
    pub(crate) fn new(finish: Finish) -> Self {
        Self {
            n: Vec::new(),
            harmful: Vec::new(),
            finish,
        }
    }

    fn resize(&mut self, groups: usize) {
        self.n.resize(groups, 0);
        self.harmful.resize(groups, 0);
    }

    fn emit(&mut self, emit_to: EmitTo) -> (Vec<i64>, Vec<i64>) {
        (
            emit_to.take_needed(&mut self.n),
            emit_to.take_needed(&mut self.harmful),
        )
    }
}

impl fmt::Debug for GroupCounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GroupCounts")
            .field("groups", &self.n.len())
            .finish_non_exhaustive()
    }
}

fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

impl GroupsAccumulator for GroupCounts {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.resize(total_num_groups);
        let flags = values[0].as_boolean();
        for (row, group) in group_indices.iter().enumerate() {
            if passes(opt_filter, row) {
                self.n[*group] += 1;
                self.harmful[*group] += i64::from(is_harmful(flags, row));
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (n, harmful) = self.emit(emit_to);
        (self.finish)(&n, &harmful)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (n, harmful) = self.emit(emit_to);
        Ok(vec![
            Arc::new(Int64Array::from(n)),
            Arc::new(Int64Array::from(harmful)),
        ])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.resize(total_num_groups);
        let (n, harmful) = (
            values[0].as_primitive::<Int64Type>(),
            values[1].as_primitive::<Int64Type>(),
        );
        for (row, group) in group_indices.iter().enumerate() {
            self.n[*group] += n.value(row);
            self.harmful[*group] += harmful.value(row);
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let flags = values[0].as_boolean();
        let counted = |count: &dyn Fn(usize) -> bool| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(
                (0..flags.len()).map(|row| i64::from(passes(opt_filter, row) && count(row))),
            ))
        };
        Ok(vec![
            counted(&|_| true),
            counted(&|row| is_harmful(flags, row)),
        ])
    }

    fn size(&self) -> usize {
        (self.n.capacity() + self.harmful.capacity()) * size_of::<i64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives `100 * n + harmful`.
    fn finish() -> Finish {
        Arc::new(|n, harmful| {
            Ok(Arc::new(Int64Array::from_iter_values(
                n.iter().zip(harmful).map(|(n, harmful)| 100 * n + harmful),
            )))
        })
    }

    fn flags(flags: &[Option<bool>]) -> ArrayRef {
        Arc::new(BooleanArray::from(flags.to_vec()))
    }

    const FLAGS: [Option<bool>; 5] = [Some(true), None, Some(false), Some(false), Some(true)];

    #[test]
    fn null_counts_as_harmful() {
        let mut counts = Counts::new(finish());
        counts.update_batch(&[flags(&FLAGS)]).unwrap();
        assert_eq!(counts.evaluate().unwrap(), ScalarValue::from(503_i64));
        counts.retract_batch(&[flags(&FLAGS[..2])]).unwrap();
        assert_eq!(counts.evaluate().unwrap(), ScalarValue::from(301_i64));
    }

    #[test]
    fn merged_states_are_the_whole() {
        let mut whole = Counts::new(finish());
        whole.update_batch(&[flags(&FLAGS)]).unwrap();
        let mut merged = Counts::new(finish());
        for part in [&FLAGS[..3], &FLAGS[3..], &[]] {
            let mut counts = Counts::new(finish());
            counts.update_batch(&[flags(part)]).unwrap();
            let state: Vec<ArrayRef> = counts
                .state()
                .unwrap()
                .iter()
                .map(|value| value.to_array().unwrap())
                .collect();
            merged.merge_batch(&state).unwrap();
        }
        assert_eq!(merged.evaluate().unwrap(), whole.evaluate().unwrap());
    }

    #[test]
    fn groups_filters_and_states() {
        let filter =
            BooleanArray::from(vec![Some(true), Some(true), Some(true), None, Some(false)]);
        let groups = [0, 1, 1, 0, 2];
        let mut direct = GroupCounts::new(finish());
        direct
            .update_batch(&[flags(&FLAGS)], &groups, Some(&filter), 3)
            .unwrap();
        let mut converted = GroupCounts::new(finish());
        let state = converted
            .convert_to_state(&[flags(&FLAGS)], Some(&filter))
            .unwrap();
        converted.merge_batch(&state, &groups, 3).unwrap();
        let expected = Int64Array::from(vec![101, 201, 0]);
        assert_eq!(
            direct
                .evaluate(EmitTo::All)
                .unwrap()
                .as_primitive::<Int64Type>(),
            &expected
        );
        let first = converted.evaluate(EmitTo::First(1)).unwrap();
        assert_eq!(
            first.as_primitive::<Int64Type>(),
            &Int64Array::from(vec![101])
        );
        let rest = converted.state(EmitTo::All).unwrap();
        assert_eq!(
            rest[0].as_primitive::<Int64Type>(),
            &Int64Array::from(vec![2, 0])
        );
        assert_eq!(
            rest[1].as_primitive::<Int64Type>(),
            &Int64Array::from(vec![1, 0])
        );
    }
}
