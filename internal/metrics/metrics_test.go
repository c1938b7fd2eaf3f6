package metrics

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"syncd/internal/status"
	"syncd/state"
)

func scrape(t *testing.T, m *Metrics) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Code, w.Body.String()
}

func TestWhatHappensIsCounted(t *testing.T) {
	m := New("1.2.3", Sources{
		Streams: func(context.Context) ([]status.Line, error) {
			return []status.Line{{
				Account: "a", Stream: "conversions", State: status.Waiting, Pulling: 3, Loading: 1, PulledAt: time.Now().Add(-time.Hour),
			}}, nil
		},
		Inbox: func(context.Context) (state.InboxSize, error) { return state.InboxSize{Pages: 7, Bytes: 4096}, nil },
	})
	pull := state.Pull{Account: "a", Stream: "conversions"}
	m.Called("a", "conversions", "ok", 300*time.Millisecond, 1000)
	m.Called("a", "conversions", "wait", time.Second, 0)
	m.Received(pull, 500)
	m.Planned(pull)
	m.Published(pull, 498, 2)
	m.Failed(pull, "held back")
	m.Warehouse(errors.New("down"))
	code, text := scrape(t, m)
	if code != http.StatusOK {
		t.Fatalf("got status %d: %s", code, text)
	}
	for _, want := range []string{
		`syncd_calls_total{account="a",outcome="ok",stream="conversions"} 1`,
		`syncd_calls_total{account="a",outcome="wait",stream="conversions"} 1`,
		`syncd_call_seconds_count{account="a"} 2`,
		`syncd_received_bytes_total{account="a"} 1000`,
		`syncd_records_received_total{account="a",stream="conversions"} 500`,
		`syncd_rows_published_total{account="a",stream="conversions"} 498`,
		`syncd_records_quarantined_total{account="a",stream="conversions"} 2`,
		`syncd_pulls_failed_total{account="a",stream="conversions"} 1`,
		`syncd_warehouse_up 0`,
		`syncd_stream_state{account="a",state="waiting",stream="conversions"} 1`,
		`syncd_stream_windows_open{account="a",phase="pulling",stream="conversions"} 3`,
		`syncd_stream_lag_seconds{account="a",stream="conversions"} 36`,
		`syncd_inbox_bytes 4096`,
		`syncd_inbox_pages 7`,
		`syncd_build_info{version="1.2.3"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	m.Warehouse(nil)
	if _, text := scrape(t, m); !strings.Contains(text, "syncd_warehouse_up 1") {
		t.Error("the warehouse took a batch and is still said to be down")
	}
}

func TestLeadsAndPostbacksThatWaitAreTold(t *testing.T) {
	m := New("1", Sources{
		Leads: func(context.Context, time.Time) ([]state.LeadCount, error) {
			return []state.LeadCount{{Account: "a", Known: 12, Open: 7, Due: 3}}, nil
		},
		Backlogs: func(context.Context) ([]state.Backlog, error) {
			return []state.Backlog{{Account: "a", Waiting: 5000, Oldest: time.Now().Add(-2 * time.Hour)}}, nil
		},
	})
	_, text := scrape(t, m)
	for _, want := range []string{
		`syncd_leads{account="a",which="known"} 12`, `syncd_leads{account="a",which="open"} 7`, `syncd_leads{account="a",which="due"} 3`,
		`syncd_postbacks_waiting{account="a"} 5000`, `syncd_postbacks_waiting_seconds{account="a"} 7`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	broken := func(context.Context) ([]state.Backlog, error) { return nil, errors.New("disk gone") }
	if code, _ := scrape(t, New("1", Sources{Backlogs: broken})); code != http.StatusInternalServerError {
		t.Errorf("got status %d, want 500", code)
	}
}

func TestAStateThatCannotBeReadIsAnErrorAndNotSilence(t *testing.T) {
	m := New("1", Sources{Streams: func(context.Context) ([]status.Line, error) { return nil, errors.New("disk gone") }})
	if code, _ := scrape(t, m); code != http.StatusInternalServerError {
		t.Errorf("got status %d, want 500", code)
	}
}
