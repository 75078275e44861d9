namespace Deliberate.Endpoints.Flow;

/// <summary>What a model's tokens cost, in money for a million.</summary>
/// <param name="Input">A million tokens in.</param>
/// <param name="Output">A million tokens out, thought included.</param>
/// <param name="CachedInput">A million tokens in that the server had in its cache; null when they cost as much as others.</param>
public sealed record ModelPrice(decimal Input, decimal Output, decimal? CachedInput = null)
{
    private const decimal Million = 1_000_000;

    /// <summary>The cost of so many tokens.</summary>
    public decimal Of(long input, long output, long cached = 0)
    {
        cached = Math.Clamp(cached, 0, input);
        return (((input - cached) * Input) + (cached * (CachedInput ?? Input)) + (output * Output)) / Million;
    }
}

/// <summary>Prices by model. None are built in: they change, and the user pays them. Immutable.</summary>
/// <param name="prices">Prices by the model's name at its server.</param>
/// <param name="currency">What the money is called.</param>
public sealed class PriceTable(IReadOnlyDictionary<string, ModelPrice> prices, string currency = "USD")
{
    private readonly Dictionary<string, ModelPrice> _prices = new(prices, StringComparer.OrdinalIgnoreCase);

    /// <summary>What the money is called.</summary>
    public string Currency { get; } = currency;

    /// <summary>The price of a model, or of the longest name that this one goes on from with a hyphen: servers answer with dated names. Null when there is none.</summary>
    public ModelPrice? Find(string model)
    {
        ArgumentNullException.ThrowIfNull(model);
        for (var name = model; name.Length > 0;)
        {
            if (_prices.TryGetValue(name, out var price)) return price;
            var hyphen = name.LastIndexOf('-');
            name = hyphen < 0 ? "" : name[..hyphen];
        }

        return null;
    }
}
