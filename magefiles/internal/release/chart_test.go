package release_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"todo.local/magefiles/internal/release"
)

// foreign are kinds whose types live outside of Kubernetes itself.
var foreign = map[string]bool{"HTTPRoute": true, "ServiceMonitor": true, "APIService": true}

// objects renders a chart and decodes what comes of it strictly: a field that Kubernetes does not know is an error.
func objects(t *testing.T, chart, text string) []runtime.Object {
	t.Helper()
	rendered, err := release.Render("todo-app", "todo", filepath.Join(charts, chart), values(t, text))
	require.NoError(t, err)
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var out []runtime.Object
	for doc := range strings.SplitSeq(rendered, "\n---\n") {
		plain := map[string]any{}
		require.NoError(t, yaml.UnmarshalStrict([]byte(doc), &plain), doc)
		if kind, _ := plain["kind"].(string); kind == "" || foreign[kind] {
			continue
		}
		o, _, err := decoder.Decode([]byte(doc), nil, nil)
		require.NoError(t, err, doc)
		out = append(out, o)
	}
	return out
}

// find gives the object of a type and name.
func find[T runtime.Object](t *testing.T, all []runtime.Object, name string) T {
	t.Helper()
	var none T
	for _, o := range all {
		if typed, ok := o.(T); ok {
			raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
			require.NoError(t, err)
			if (&unstructured.Unstructured{Object: raw}).GetName() == name {
				return typed
			}
		}
	}
	require.Failf(t, "missing object", "%T %s", none, name)
	return none
}

func templates(all []runtime.Object) map[string]corev1.PodTemplateSpec {
	out := map[string]corev1.PodTemplateSpec{}
	for _, o := range all {
		switch o := o.(type) {
		case *appsv1.Deployment:
			out[o.Name] = o.Spec.Template
		case *appsv1.StatefulSet:
			out[o.Name] = o.Spec.Template
		}
	}
	return out
}

// TestTheSpecificationsNames holds the chart's defaults against the plan's sections 2.3 and 4.
func TestTheSpecificationsNames(t *testing.T) {
	all := objects(t, "todo-app", given)
	for _, k := range []struct {
		deployment, service, image         string
		port                               int32
		memory, cpu, memoryLimit, cpuLimit string
	}{
		{"backend", "backend-svc", "todo-backend:latest", 8000, "256Mi", "200m", "512Mi", "500m"},
		{"frontend", "frontend-svc", "todo-frontend:latest", 3000, "128Mi", "100m", "256Mi", "250m"},
	} {
		d := find[*appsv1.Deployment](t, all, k.deployment)
		assert.Equal(t, "todo", d.Namespace)
		assert.EqualValues(t, 2, *d.Spec.Replicas)
		assert.Equal(t, "todo-"+k.deployment, d.Spec.Template.Labels["app"], "selectors of the plan's scripts")
		c := d.Spec.Template.Spec.Containers[0]
		assert.Equal(t, k.image, c.Image)
		assert.Equal(t, corev1.PullIfNotPresent, c.ImagePullPolicy)
		assert.Equal(t, k.memory, c.Resources.Requests.Memory().String())
		assert.Equal(t, k.cpu, c.Resources.Requests.Cpu().String())
		assert.Equal(t, k.memoryLimit, c.Resources.Limits.Memory().String())
		assert.Equal(t, k.cpuLimit, c.Resources.Limits.Cpu().String())
		assert.EqualValues(t, 10, c.LivenessProbe.PeriodSeconds)
		assert.EqualValues(t, 5, c.ReadinessProbe.PeriodSeconds)

		s := find[*corev1.Service](t, all, k.service)
		assert.Equal(t, corev1.ServiceTypeClusterIP, s.Spec.Type)
		assert.Equal(t, k.port, s.Spec.Ports[0].Port)
		assert.Equal(t, k.port, c.Ports[0].ContainerPort)
		for key, value := range s.Spec.Selector {
			assert.Equal(t, value, d.Spec.Template.Labels[key])
		}
	}
	assert.Equal(t, map[string]string{"LOG_LEVEL": "INFO", "ENVIRONMENT": "development", "API_VERSION": "v1"},
		find[*corev1.ConfigMap](t, all, "app-config").Data)
	secret := find[*corev1.Secret](t, all, "app-secrets").Data
	assert.Equal(t, "postgresql://u:p@db.example.com/todo", string(secret["DATABASE_URL"]))

	in := find[*networkingv1.Ingress](t, all, "todo-app")
	assert.Equal(t, "nginx", *in.Spec.IngressClassName)
	assert.Empty(t, in.Annotations)
	assert.Empty(t, in.Spec.TLS)
	var hosts []string
	for _, r := range in.Spec.Rules {
		hosts = append(hosts, r.Host)
		led := map[string]string{}
		for _, p := range r.HTTP.Paths {
			assert.Equal(t, networkingv1.PathTypePrefix, *p.PathType)
			led[p.Path] = p.Backend.Service.Name
		}
		assert.Equal(t, "backend-svc", led["/api"])
		assert.Equal(t, "frontend-svc", led["/"])
	}
	assert.Equal(t, []string{"todo.local", "todo.localhost"}, hosts)
}

func TestTLSCoversEveryHost(t *testing.T) {
	in := find[*networkingv1.Ingress](t, objects(t, "todo-app", `ingress: {host: a.example, extraHosts: [b.example], tls: {enabled: true, secretName: mine}}`), "todo-app")
	require.Equal(t, []networkingv1.IngressTLS{{Hosts: []string{"a.example", "b.example"}, SecretName: "mine"}}, in.Spec.TLS)
}

// TestEveryPodIsRestricted checks what the Pod Security level "restricted" asks for, and a little more.
func TestEveryPodIsRestricted(t *testing.T) {
	for _, chart := range []string{"todo-app", "ingress", "metrics-server"} {
		for name, template := range templates(objects(t, chart, ``)) {
			spec := template.Spec
			assertRestricted(t, name, spec)
			if chart == "todo-app" {
				assert.False(t, *spec.AutomountServiceAccountToken, name)
				assert.Equal(t, "todo-"+name, spec.ServiceAccountName)
			}
			for _, c := range spec.Containers {
				assert.NotNil(t, c.StartupProbe, name)
				assert.NotNil(t, c.LivenessProbe, name)
				assert.NotNil(t, c.ReadinessProbe, name)
			}
		}
	}
}

func assertRestricted(t *testing.T, name string, spec corev1.PodSpec) {
	t.Helper()
	assert.True(t, *spec.SecurityContext.RunAsNonRoot, name)
	assert.NotZero(t, *spec.SecurityContext.RunAsUser, name)
	assert.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, spec.SecurityContext.SeccompProfile.Type, name)
	for _, c := range append(spec.InitContainers, spec.Containers...) {
		assert.False(t, *c.SecurityContext.AllowPrivilegeEscalation, name)
		assert.True(t, *c.SecurityContext.ReadOnlyRootFilesystem, name)
		assert.Equal(t, []corev1.Capability{"ALL"}, c.SecurityContext.Capabilities.Drop, name)
		assert.Empty(t, c.SecurityContext.Capabilities.Add, name)
		assert.False(t, c.Resources.Limits.Memory().IsZero(), name)
	}
}

func TestGeneratedSecretsFitTogether(t *testing.T) {
	all := objects(t, "todo-app", ``)
	data := find[*corev1.Secret](t, all, "app-secrets").Data
	assert.GreaterOrEqual(t, len(data["JWT_SECRET"]), 32)
	assert.Equal(t, "postgresql://todo:"+string(data["POSTGRES_PASSWORD"])+"@postgres-svc:5432/todo", string(data["DATABASE_URL"]))
	assert.NotContains(t, data, "OPENAI_API_KEY")
	other := find[*corev1.Secret](t, objects(t, "todo-app", ``), "app-secrets").Data
	assert.NotEqual(t, data["JWT_SECRET"], other["JWT_SECRET"])
}

func TestPodsRestartWhenWhatTheyReadChanges(t *testing.T) {
	annotations := func(text string) map[string]string {
		return templates(objects(t, "todo-app", text))["backend"].Annotations
	}
	base := annotations(given)
	assert.Equal(t, base, annotations(given))
	assert.NotEqual(t, base["checksum/config"], annotations("config: {logLevel: DEBUG}" + given)["checksum/config"])
	assert.NotEqual(t, base["checksum/secrets"], annotations(`secrets: {jwtSecret: ffffffffffffffffffffffffffffffff, databaseUrl: "postgresql://u:p@db.example.com/todo"}`)["checksum/secrets"])
	assert.Equal(t, "7", annotations(`secrets: {existingSecret: mine, checksum: "7"}`)["checksum/secrets"])
}

func TestADatabaseElsewhereLeavesPostgresOut(t *testing.T) {
	assert.NotContains(t, templates(objects(t, "todo-app", given)), "postgres")
	assert.Contains(t, templates(objects(t, "todo-app", ``)), "postgres")
	assert.NotContains(t, templates(objects(t, "todo-app", `{postgres: {enabled: false}, secrets: {existingSecret: mine}}`)), "postgres")
	_, err := release.Render("todo-app", "todo", filepath.Join(charts, "todo-app"), values(t, `postgres: {enabled: false}`))
	require.ErrorContains(t, err, "set secrets.databaseUrl or secrets.existingSecret")
}

func TestTheNamespaceIsMadeOnlyWhereItIsAnother(t *testing.T) {
	for namespace, want := range map[string]bool{"todo": false, "": false, "elsewhere": true} {
		found := false
		for _, o := range objects(t, "todo-app", `namespace: "`+namespace+`"`+given) {
			if ns, ok := o.(*corev1.Namespace); ok {
				found = true
				assert.Equal(t, "restricted", ns.Labels["pod-security.kubernetes.io/enforce"])
			}
		}
		assert.Equal(t, want, found, namespace)
	}
}

func TestMistakesInValuesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		`backend: {replicas: many}`:                                      "backend.replicas: got string, want integer",
		`backend: {image: {pullPolicy: Sometimes}}`:                      "backend.image.pullPolicy: value must be one of",
		`backend: {image: {tag: ""}}`:                                    "backend.image",
		`frontend: {image: {digest: abc}}`:                               "frontend.image.digest: 'abc' does not match",
		`fronted: {}`:                                                    "unknown: fronted",
		`ingress: {host: "Todo Local"}`:                                  "ingress.host: 'Todo Local' does not match",
		`ingress: {tls: {enabled: true, secretName: ""}}`:                "ingress.tls.secretName: '' does not match",
		`secrets: {jwtSecret: short}`:                                    "secrets.jwtSecret: minLength: got 5, want 32",
		`secrets: {databaseUrl: "mysql://hush@h/d"}`:                     "secrets.databaseUrl must begin with postgresql://",
		`config: {logLevel: LOUD}`:                                       "config.logLevel: value must be one of",
		`httpRoute: {enabled: true}`:                                     "httpRoute.parentRefs: minItems: got 0, want 1",
		`backend: {resources: {limits: {memory: plenty}}}`:               "backend.resources.limits.memory: 'plenty' does not match",
		`backend: {extraEnv: [{name: "A B", value: "x"}]}`:               "backend.extraEnv.0.name: 'A B' does not match",
		`postgres: {storage: {size: big}}`:                               "postgres.storage.size: 'big' does not match",
		`backend: {autoscaling: {enabled: true, max: 3}}`:                "backend.autoscaling: unknown: max",
		`{namespace: "Not A Name"}`:                                      "namespace: 'Not A Name' does not match",
		`config: {environment: Production}`:                              "config.environment: 'Production' does not match",
		`ingress: {tls: {enabled: true, secretName: null}}`:              "ingress.tls: missing property 'secretName'",
		`serviceDefaults: {autoscaling: null}`:                           "serviceDefaults: missing property 'autoscaling'",
		`backend: {apiUrl: "http://a"}`:                                  "backend.apiUrl",
		`services: {reports: {}}`:                                        "services.reports: missing property 'image'",
		`services: {reports: {image: {tag: "1"}}}`:                       "services.reports.image: missing property 'repository'",
		`services: {reports: {image: {repository: a}, port: 1}}`:         "services.reports: unknown: port",
		`services: {postgres: {image: {repository: a}}}`:                 "services.postgres",
		`services: {reports: {image: {repository: a}, path: /r}}`:        "service reports has a path, and no containerPort",
		`services: {reports: {image: {repository: a}, calls: [bakend]}}`: "service reports calls bakend, and no service of that name listens",
		`networkPolicy: {dns: {addresses: [10.0.0.1]}}`:                  "networkPolicy.dns.addresses.0: '10.0.0.1' does not match",
	} {
		t.Run(text, func(t *testing.T) {
			_, err := release.Render("todo-app", "todo", filepath.Join(charts, "todo-app"), values(t, text))
			require.Error(t, err)
			assert.Contains(t, err.Error(), want)
			assert.NotContains(t, err.Error(), "\n")
			assert.NotContains(t, err.Error(), "hush")
		})
	}
}
