package release

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	"helm.sh/helm/v3/pkg/kube"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	resourceinfo "k8s.io/cli-runtime/pkg/resource"
)

// compare names the objects of a manifest that are missing in the cluster or no longer say what the manifest says.
func (e *Engine) compare(ctx context.Context, manifest string) ([]string, error) {
	objects, err := e.helm.KubeClient.Build(strings.NewReader(manifest), false)
	if err != nil {
		return nil, err
	}
	return drift(ctx, objects)
}

func drift(ctx context.Context, objects kube.ResourceList) ([]string, error) {
	differs := make([]bool, len(objects))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for i, o := range objects {
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			wanted, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o.Object)
			if err != nil {
				return err
			}
			live, err := resourceinfo.NewHelper(o.Client, o.Mapping).Get(o.Namespace, o.Name)
			if apierrors.IsNotFound(err) {
				differs[i] = true
				return nil
			}
			if err != nil {
				return err
			}
			found, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
			if err != nil {
				return err
			}
			differs[i] = !holds(found, wanted)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var names []string
	for i, o := range objects {
		if differs[i] {
			names = append(names, fmt.Sprintf("%s/%s", strings.ToLower(o.Mapping.GroupVersionKind.Kind), o.Name))
		}
	}
	return names, nil
}

// holds tells whether everything that wanted says is also in found, which may say more: the defaults that an API server
// fills in.
func holds(found, wanted any) bool {
	switch w := wanted.(type) {
	case nil:
		return true
	case map[string]any:
		f, ok := found.(map[string]any)
		if !ok {
			return len(w) == 0
		}
		for k, v := range w {
			if !holds(f[k], v) {
				return false
			}
		}
		return true
	case []any:
		f, _ := found.([]any)
		if len(f) != len(w) {
			return false
		}
		for i := range w {
			if !holds(f[i], w[i]) {
				return false
			}
		}
		return true
	}
	return fmt.Sprint(found) == fmt.Sprint(wanted) || sameQuantity(found, wanted) || (found == nil && isZero(wanted))
}

// isZero tells whether a value is what the API server leaves out when it stores an object.
func isZero(v any) bool {
	switch fmt.Sprint(v) {
	case "", "0", "false":
		return true
	}
	return false
}

// sameQuantity sees that "1000m" and "1" are the same.
func sameQuantity(a, b any) bool {
	x, err := resource.ParseQuantity(fmt.Sprint(a))
	if err != nil {
		return false
	}
	y, err := resource.ParseQuantity(fmt.Sprint(b))
	return err == nil && x.Cmp(y) == 0
}
