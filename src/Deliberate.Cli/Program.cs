System.Console.WriteLine("deliberate");
