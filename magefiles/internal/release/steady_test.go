package release

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"

	"todo.local/magefiles/internal/fault"
)

// edited makes a chart that somebody works on: edit runs after each reading and gets its number.
func edited(t *testing.T, edit func(dir string, reading int)) (dir string, read func(string) (*chart.Chart, error), readings *int) {
	t.Helper()
	dir, readings = t.TempDir(), new(int)
	save(t, dir, "Chart.yaml", "apiVersion: v2\nname: x\nversion: 1.0.0\n")
	save(t, dir, "values.yaml", "\ufeffname: A\n")
	save(t, dir, "values.schema.json", `{"properties":{"name":{"const":"A"}}}`)
	save(t, dir, "templates/map.yaml", "A")
	return dir, func(dir string) (*chart.Chart, error) {
		c, err := loader.LoadDir(dir)
		*readings++
		edit(dir, *readings)
		return c, err
	}, readings
}

func save(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

func TestAChartIsReadAsItIsAtOneMoment(t *testing.T) {
	for name, file := range map[string]string{"a template": "templates/map.yaml", "values": "values.yaml", "the schema": "values.schema.json"} {
		t.Run(name, func(t *testing.T) {
			dir, read, readings := edited(t, func(dir string, reading int) {
				if reading == 1 {
					save(t, dir, file, `{"name": "B"}`)
				}
			})
			before, err := loader.LoadDir(dir)
			require.NoError(t, err)
			c, err := steady(dir, read)
			require.NoError(t, err)
			assert.Equal(t, 2, *readings)
			now, err := loader.LoadDir(dir)
			require.NoError(t, err)
			assert.Equal(t, now, c)
			assert.NotEqual(t, marked(t, before), marked(t, c))

			save(t, dir, file, `{"name": "C"}`)
			assert.Equal(t, marked(t, now), marked(t, c), "the mark is that of what was read, whatever the file has become")
		})
	}
}

func marked(t *testing.T, c *chart.Chart) string {
	t.Helper()
	mark, err := fingerprint(c, nil)
	require.NoError(t, err)
	return mark
}

func TestAFileThatGoesMeanwhileIsNoPartOfTheChart(t *testing.T) {
	dir, read, _ := edited(t, func(dir string, reading int) {
		if reading == 1 {
			require.NoError(t, os.Remove(filepath.Join(dir, "templates", "map.yaml")))
		}
	})
	c, err := steady(dir, read)
	require.NoError(t, err)
	assert.Empty(t, c.Templates)
}

func TestAChartThatDoesNotChangeIsReadOnce(t *testing.T) {
	dir, read, readings := edited(t, func(string, int) {})
	_, err := steady(dir, read)
	require.NoError(t, err)
	assert.Equal(t, 1, *readings)
}

func TestAChartThatKeepsChangingIsToldInOneLine(t *testing.T) {
	dir, read, tries := edited(t, func(dir string, reading int) { save(t, dir, "values.yaml", fmt.Sprintf("name: %d\n", reading)) })
	_, err := steady(dir, read)
	require.EqualError(t, err, "the chart in "+dir+" keeps changing while it is read")
	assert.Equal(t, fault.CodeInput, fault.Code(err))
	assert.NotEmpty(t, fault.Remedy(err))
	assert.Equal(t, readings, *tries)
}

func TestAChartThatIsNotThere(t *testing.T) {
	_, err := steady(filepath.Join(t.TempDir(), "gone"), loader.LoadDir)
	require.ErrorContains(t, err, "gone cannot be read")
}
