package analysis_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/analysis"
	"todo.local/magefiles/internal/analysis/faults"
)

func TestNothingIsFoundWhereNothingIsWrong(t *testing.T) {
	assert.Empty(t, analysis.Analyze(faults.Healthy()))
}

func TestEveryFaultIsFoundAheadOfWhatFollowsFromIt(t *testing.T) {
	kinds := map[analysis.Kind]bool{}
	for _, f := range faults.All {
		t.Run(f.Name, func(t *testing.T) {
			s := faults.Healthy()
			f.Inject(s)
			found := analysis.Analyze(s)
			require.NotEmpty(t, found)
			top := found[0]
			assert.Equal(t, f.Kind, top.Kind, analysis.Text(found))
			assert.Contains(t, top.Remedy, f.Remedy)
			kinds[f.Kind] = true
			for _, one := range found {
				assert.NotEmpty(t, one.Remedy, one.ID)
				assert.NotEmpty(t, one.Evidence, one.ID)
				assert.NotContains(t, one.Cause, "\n")
				assert.Equal(t, string(one.Kind)+"/"+one.Object, one.ID)
				assert.Contains(t, []analysis.Confidence{analysis.Certain, analysis.Likely, analysis.Possible}, one.Confidence)
				for _, e := range one.Evidence {
					assert.NotEmpty(t, e.Object)
					assert.NotEmpty(t, e.Field+e.Event+e.Line)
				}
			}
		})
	}
	assert.GreaterOrEqual(t, len(kinds), 40)
}
