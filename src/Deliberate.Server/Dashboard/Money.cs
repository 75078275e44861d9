using System.Globalization;
using Deliberate.Runs.Store;

namespace Deliberate.Server.Dashboard;

/// <summary>What things cost, in words.</summary>
internal static class Money
{
    /// <summary>What a run paid.</summary>
    public static string Of(RunUse? use) => use is null ? "no endpoint was paid" : Of(use.Cost);

    /// <summary>An amount in dollars; small ones to a millionth.</summary>
    public static string Of(decimal dollars) => dollars == 0 ? "nothing known" : dollars < 0.01m
        ? string.Create(CultureInfo.InvariantCulture, $"${dollars:0.000000}") : string.Create(CultureInfo.InvariantCulture, $"${dollars:N2}");
}
