package operate

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"

	"todo.local/magefiles/internal/ai"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// open makes a session with a cluster that is nothing but what its API server says, and gives what the session prints.
func open(client kubernetes.Interface, cfg config.Config) (session.Cluster, *bytes.Buffer) {
	var out bytes.Buffer
	cfg.Namespace = "todo"
	return session.Cluster{Engine: session.Engine{Session: session.New(&cfg, ui.Plain(&out))}, Client: client}, &out
}

func backendDeployment() *appsv1.Deployment {
	two := int32(2)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "todo", Name: "backend", Labels: map[string]string{"app.kubernetes.io/instance": config.ReleaseName}},
		Spec: appsv1.DeploymentSpec{Replicas: &two, Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "backend", Image: "todo-backend:1f", Env: []corev1.EnvVar{{Name: "X", Value: "hidden-value"}},
			Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")}},
		}}}}},
		Status: appsv1.DeploymentStatus{Replicas: 2, ReadyReplicas: 1, UpdatedReplicas: 2, AvailableReplicas: 1},
	}
}

func TestAssistantReadsTheNamespaceAndNoSecret(t *testing.T) {
	client := fake.NewClientset(backendDeployment())
	s, out := open(client, config.Config{})
	text, err := operations{s}.Read(t.Context(), ai.Call{Tool: ai.Deployments})
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^backend +2 +1 +2 +- +512Mi +todo-backend:1f$`, text)
	assert.NotContains(t, text, "hidden-value", "nor what its variables hold")
	text, err = operations{s}.Read(t.Context(), ai.Call{Tool: ai.Diagnosis, Service: "backend"})
	require.NoError(t, err)
	assert.Contains(t, text, "backend is not as it should be: 1 of 2 pods are ready")
	assert.Empty(t, out.String(), "it is for the assistant to say")
	for _, action := range client.Actions() {
		assert.Equal(t, "todo", action.GetNamespace())
		assert.Equal(t, "list", action.GetVerb())
		assert.NotEqual(t, "secrets", action.GetResource().Resource)
	}
	_, err = operations{s}.Read(t.Context(), ai.Call{Tool: "secrets"})
	assert.Error(t, err)
	assert.Error(t, operations{s}.Change(t.Context(), ai.Call{Tool: "delete"}))
}

func TestAnswersHoldNoSecretOfTheSettingsOrTheCluster(t *testing.T) {
	client := fake.NewClientset(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "todo", Name: secrets.Name}, Data: map[string][]byte{
		secrets.JWTSecret: []byte("generated-key"), secrets.DatabaseURL: []byte("postgresql://todo:generated-password@postgres/todo")}})
	s, _ := open(client, config.Config{OpenAIKey: "configured-key"})
	known, err := knownSecrets(t.Context(), s)
	require.NoError(t, err)
	assert.Equal(t, strings.Repeat("(left out) ", 3), known.Hide("generated-key generated-password configured-key "))
	s, _ = open(fake.NewClientset(), config.Config{})
	_, err = knownSecrets(t.Context(), s)
	require.NoError(t, err, "before the first deploy there are none")
}

// kubectl-ai is a script here that tells how it was called.
func TestKubectlAIGetsTheClusterAndNoKeyInItsArguments(t *testing.T) {
	bin := t.TempDir()
	script := "#!/bin/sh\nprintf '%s|' \"$@\"\necho\necho \"$OPENAI_API_KEY $OPENAI_ENDPOINT\"\ncat\n"
	require.NoError(t, os.WriteFile(filepath.Join(bin, "kubectl-ai"), []byte(script), 0o755))
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	s, out := open(nil, config.Config{OpenAIKey: "the-key", OpenAIBaseURL: "http://127.0.0.1:1/v1", State: "/state"})
	_, err := run.Exec{}.Run(t.Context(), kubectlAI(s.Session, "kubectl-ai", "/state/kubeconfig-x", `why; $(id) "so"?`))
	require.NoError(t, err)
	assert.Equal(t, `--quiet|--kubeconfig|/state/kubeconfig-x|--trace-path|/state/kubectl-ai-trace.txt|--llm-provider|openai|--model|gpt-5-mini|--|`+
		`In namespace todo: why; $(id) "so"?|`+"\nthe-key http://127.0.0.1:1/v1\n", out.String(), "one argument, not read by a shell, and no standard input")

	s.Config.OpenAIKey = ""
	c := kubectlAI(s.Session, "kubectl-ai", "k", "why?")
	assert.NotContains(t, c.Args, "--llm-provider", "it goes by its own configuration")
	assert.Empty(t, c.Env)
}

func TestKubectlAIThatIsNotInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	s, _ := open(nil, config.Config{})
	err := KubectlAI(t.Context(), s.Session, "why?")
	assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
	assert.Contains(t, fault.Remedy(err), "docs/ai-operations.md")
}
