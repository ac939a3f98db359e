package deploy

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/kubetest"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/ui"
)

// developed is a release whose second revision is one in development mode.
type developed struct {
	spec    release.Spec
	outcome release.Outcome
	refused error // of what is to be applied
	lost    error // the lease
	did     []string
}

func (d *developed) Check(context.Context) error { return d.lost }

func (d *developed) Apply(_ context.Context, _ *ui.Task, spec release.Spec) (release.Outcome, error) {
	d.spec, d.did = spec, append(d.did, "apply")
	return d.outcome, d.refused
}

func (d *developed) Verify(context.Context, int) error {
	d.did = append(d.did, "verify")
	return nil
}

func (d *developed) Rollback(ctx context.Context, _ *ui.Task, revision int) error {
	d.did = append(d.did, "rollback")
	if revision != d.outcome.Good {
		return errors.New("to another revision than the good one")
	}
	return ctx.Err()
}

// beginning puts the backend into development mode on a cluster where that comes up, or fails first with an error.
func beginning(t *testing.T, h *developed, fails error) (Development, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d := Development{
		Cluster: on(kubetest.NewClientset(), config.Config{}), Images: Application{"backend": "todo-backend:dev", "frontend": "f:1", "postgres": "p:1"},
	}
	d.comesUp = func(context.Context, *ui.Task) error {
		err := fails
		if fails = nil; errors.Is(err, context.Canceled) {
			cancel()
		}
		return err
	}
	return d, d.begin(ctx, nil, h, []app.Service{app.Backend})
}

func TestDevelopmentModeIsARevisionThatIsNeverVerified(t *testing.T) {
	h := &developed{outcome: release.Outcome{Revision: 2, Good: 1, Changed: true}}
	d, err := beginning(t, h, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"apply"}, h.did)
	assert.Equal(t, 2, d.Revision)
	assert.Equal(t, 1, d.Good)
	assert.Equal(t, developing, h.spec.Description)
}

func TestDevelopmentModeThatDoesNotComeUpLeavesTheDeployedVersion(t *testing.T) {
	for name, fails := range map[string]error{"for a failure": errors.New("it does not come up"), "for Ctrl-C": context.Canceled} {
		t.Run(name, func(t *testing.T) {
			h := &developed{outcome: release.Outcome{Revision: 2, Good: 1, Changed: true}}
			_, err := beginning(t, h, fails)
			require.ErrorIs(t, err, fails)
			assert.Equal(t, []string{"apply", "rollback"}, h.did)
		})
	}
	_, err := beginning(t, &developed{outcome: release.Outcome{Revision: 1, Changed: true}}, errors.New("it does not come up"))
	assert.ErrorContains(t, err, "no version has passed its checks")
}

func TestDevelopmentModeThatIsNotPutInForceTakesNothingBack(t *testing.T) {
	h := &developed{refused: errors.New("the chart cannot be read")}
	_, err := beginning(t, h, nil)
	require.EqualError(t, err, "the chart cannot be read")
	assert.Equal(t, []string{"apply"}, h.did, "nothing was written")

	h = &developed{outcome: release.Outcome{Revision: 2, Good: 1, Changed: true}, lost: errors.New("another run has the release")}
	_, err = beginning(t, h, errors.New("it does not come up"))
	require.ErrorContains(t, err, "another run has the release")
	assert.Equal(t, []string{"apply"}, h.did, "what is in force may be the other's")
}

func TestServicesInDevelopmentModeAreAsRestrictedAsEver(t *testing.T) {
	for _, service := range app.Developed() {
		v := map[string]any{}
		develops(&config.Config{Host: "todo.example.com"}, service, entry(v, service.Entry()...))
		rendered, err := release.Render(config.ReleaseName, namespace, "../../../charts/todo-app", v)
		require.NoError(t, err)
		found := false
		for text := range strings.SplitSeq(rendered, "\n---\n") {
			var of appsv1.Deployment
			if yaml.Unmarshal([]byte(text), &of) != nil || of.Kind != "Deployment" || of.Name != service.Name {
				continue
			}
			found = true
			c := of.Spec.Template.Spec.Containers[0]
			assert.True(t, *c.SecurityContext.ReadOnlyRootFilesystem)
			assert.EqualValues(t, 1, *of.Spec.Replicas)
			mounted := map[string]string{}
			for _, m := range c.VolumeMounts {
				mounted[m.MountPath] = m.Name
			}
			for name, path := range service.Develop.Folders {
				assert.Equal(t, name, mounted[path])
			}
			assert.Equal(t, service.Develop.Memory, c.Resources.Limits.Memory().String())
			assert.Equal(t, cmp.Or(service.Develop.Probe, service.Probes.Readiness), c.ReadinessProbe.HTTPGet.Path)
			assert.Contains(t, c.Env, corev1.EnvVar{Name: "DEVELOP_HOST", Value: "todo.example.com"})
		}
		assert.True(t, found, service.Name)
	}
}
